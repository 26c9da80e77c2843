import { Route, Routes } from "react-router";
import { NotFoundPage } from "@/app/NotFoundPage";
import { ExperimentPage } from "./detail/ExperimentPage";
import { ExperimentsPage } from "./ExperimentsPage";
import { NewExperimentPage } from "./form/NewExperimentPage";
import { PaperPage } from "./paper/PaperPage";

export function Component() {
  return (
    <Routes>
      <Route index element={<ExperimentsPage />} />
      <Route path="new" element={<NewExperimentPage />} />
      <Route path="paper" element={<PaperPage />} />
      <Route path=":experimentId" element={<ExperimentPage />} />
      <Route path="*" element={<NotFoundPage />} />
    </Routes>
  );
}
