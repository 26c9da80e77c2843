import { Route, Routes } from "react-router";
import { NotFoundPage } from "@/app/NotFoundPage";
import { JudgePage, NewJudgePage } from "./judges/JudgePage";
import { SettingsPage } from "./SettingsPage";

export function Component() {
  return (
    <Routes>
      <Route index element={<SettingsPage />} />
      <Route path="judges/new" element={<NewJudgePage />} />
      <Route path="judges/:name" element={<JudgePage />} />
      <Route path="*" element={<NotFoundPage />} />
    </Routes>
  );
}
