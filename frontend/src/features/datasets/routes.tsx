import { Route, Routes } from "react-router";
import { NotFoundPage } from "@/app/NotFoundPage";
import { DatasetPage } from "./DatasetPage";
import { DatasetsPage } from "./DatasetsPage";
import { UploadPage } from "./upload/UploadPage";

export function Component() {
  return (
    <Routes>
      <Route index element={<DatasetsPage />} />
      <Route path="new" element={<UploadPage />} />
      <Route path=":datasetId" element={<DatasetPage />} />
      <Route path="*" element={<NotFoundPage />} />
    </Routes>
  );
}
