import { Route, Routes } from "react-router";
import { NotFoundPage } from "@/app/NotFoundPage";
import { ChooseExperiment } from "./ChooseExperiment";
import { CotsPage } from "./CotsPage";

export function Component() {
  return (
    <Routes>
      <Route index element={<ChooseExperiment />} />
      <Route path=":experimentId" element={<CotsPage />} />
      <Route path="*" element={<NotFoundPage />} />
    </Routes>
  );
}
