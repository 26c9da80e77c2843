import { Route, Routes } from "react-router";
import { NotFoundPage } from "@/app/NotFoundPage";
import { ChooseExperiment } from "./ChooseExperiment";
import { ChosenRunsPage } from "./ChosenRunsPage";
import { ComparePage } from "./ComparePage";

export function Component() {
  return (
    <Routes>
      <Route index element={<ChooseExperiment />} />
      <Route path="runs" element={<ChosenRunsPage />} />
      <Route path=":experimentId" element={<ComparePage />} />
      <Route path="*" element={<NotFoundPage />} />
    </Routes>
  );
}
