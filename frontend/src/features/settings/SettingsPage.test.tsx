import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { answerRequests } from "@/test/network";
import { renderPage } from "@/test/render";
import { systemSample } from "@/test/samples";
import { SettingsPage } from "./SettingsPage";

test("workers show their slot, device, run and last sign of life", async () => {
  const [worker] = systemSample().workers;
  const workers = [{ ...worker, run_id: "r1", run_name: "AFT · none · seed 1" }];
  answerRequests({
    "GET /api/v1/judges": { body: { items: [] } },
    "GET /api/v1/system": { body: { ...systemSample(), workers } },
  });
  renderPage(<SettingsPage />);
  const table = await screen.findByRole("table", { name: "Workers" });
  expect(within(table).getByText("laptop · 0")).toBeInTheDocument();
  expect(within(table).getByRole("link", { name: "AFT · none · seed 1" })).toHaveAttribute(
    "href",
    "/runs/r1",
  );
  expect(screen.getByText("/data/workbench")).toBeInTheDocument();
  expect(screen.getByText("SQLite")).toBeInTheDocument();
});

test("without a worker the page says how to start one", async () => {
  answerRequests({
    "GET /api/v1/judges": { body: { items: [] } },
    "GET /api/v1/system": { body: systemSample({ workers: [] }) },
  });
  renderPage(<SettingsPage />);
  expect(await screen.findByText("No worker has reported today")).toBeInTheDocument();
  expect(screen.getByText("aft worker")).toBeInTheDocument();
});
