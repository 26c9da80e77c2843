import { Route, Routes } from "react-router";
import { NotFoundPage } from "@/app/NotFoundPage";
import { ViolationsPage } from "./assessment/ViolationsPage";
import { BetaPage } from "./beta/BetaPage";
import { CotsPage, SetPage } from "./CotsPage";
import { LabelsPage } from "./extraction/LabelsPage";
import { ImportPage } from "./import/ImportPage";
import { ImportResultPage } from "./import/ImportResultPage";
import { SetsPage } from "./SetsPage";

export function Component() {
  return (
    <Routes>
      <Route index element={<SetsPage />} />
      <Route path="sets/:setId" element={<SetPage />} />
      <Route path="sets/:setId/violations" element={<ViolationsPage />} />
      <Route path="sets/:setId/beta" element={<BetaPage />} />
      <Route path="sets/:setId/labels" element={<LabelsPage />} />
      <Route path="import" element={<ImportPage />} />
      <Route path="import/:runId" element={<ImportResultPage />} />
      <Route path=":experimentId" element={<CotsPage />} />
      <Route path=":experimentId/violations" element={<ViolationsPage />} />
      <Route path=":experimentId/beta" element={<BetaPage />} />
      <Route path=":experimentId/labels" element={<LabelsPage />} />
      <Route path="*" element={<NotFoundPage />} />
    </Routes>
  );
}
