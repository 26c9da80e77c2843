import { Route, Routes } from "react-router";
import { NotFoundPage } from "@/app/NotFoundPage";
import { ModelsPage } from "./ModelsPage";

export function Component() {
  return (
    <Routes>
      <Route index element={<ModelsPage />} />
      <Route path="*" element={<NotFoundPage />} />
    </Routes>
  );
}
