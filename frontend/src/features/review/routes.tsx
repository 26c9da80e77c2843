import { Route, Routes } from "react-router";
import { NotFoundPage } from "@/app/NotFoundPage";
import { NewQueuePage } from "./queues/NewQueuePage";
import { QueuePage } from "./queues/QueuePage";
import { QueuesPage } from "./queues/QueuesPage";
import { SessionPage } from "./session/SessionPage";

export function Component() {
  return (
    <Routes>
      <Route index element={<QueuesPage />} />
      <Route path="new" element={<NewQueuePage />} />
      <Route path=":queueId" element={<QueuePage />} />
      <Route path=":queueId/session" element={<SessionPage />} />
      <Route path="*" element={<NotFoundPage />} />
    </Routes>
  );
}
