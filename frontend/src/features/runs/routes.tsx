import { Route, Routes } from "react-router";
import { NotFoundPage } from "@/app/NotFoundPage";
import { RunPage } from "./RunPage";
import { RunsPage } from "./RunsPage";

export function Component() {
  return (
    <Routes>
      <Route index element={<RunsPage />} />
      <Route path=":runId" element={<RunPage />} />
      <Route path="*" element={<NotFoundPage />} />
    </Routes>
  );
}
