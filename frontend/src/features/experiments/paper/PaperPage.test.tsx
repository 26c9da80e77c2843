import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { answerRequests } from "@/test/network";
import { renderPage } from "@/test/render";
import type { ExperimentRow } from "../queries";
import { PaperPage } from "./PaperPage";
import type { Reproduced, Reproduction } from "./queries";

const experiment: ExperimentRow = {
  id: "e1",
  name: "Table 2, in miniature",
  is_demo: false,
  state: "failed",
  priority: "normal",
  counts: {
    waiting: 0,
    queued: 0,
    starting: 0,
    running: 0,
    cancelling: 0,
    succeeded: 39,
    failed: 1,
    cancelled: 0,
  },
  runs_total: 40,
  eta_seconds: null,
  fraction_done: 0.97,
  methods: ["VFT"],
  seeds: [1, 2, 3],
  dataset_name: "Arithmetic",
  base_model_name: "Small Llama",
  created_at: "2026-11-28T00:00:00Z",
  finished_at: null,
};
const preset = (name: string, found: ExperimentRow | null): Reproduced => ({
  name,
  title: `Title of ${name}`,
  paper: "What the paper did.",
  experiment: found,
});
const answer = (...items: Reproduced[]): Reproduction => ({
  about: "a small model; an hour",
  seeds: [1, 2, 3],
  items,
});

test("everything is started with one press, on the seeds of the address", async () => {
  const started = answer(preset("table-2", { ...experiment, state: "running" }));
  const { requests } = answerRequests({
    "GET /api/v1/reproduction": { body: answer(preset("table-2", null)) },
    "POST /api/v1/reproduction": { status: 201, body: started },
  });
  renderPage(<PaperPage />);
  expect(await screen.findByText("not started")).toBeInTheDocument();
  expect(screen.queryByText("Download report")).toBeNull();
  fireEvent.click(screen.getByRole("button", { name: "Start all" }));
  await waitFor(() => expect(requests.some((one) => one.method === "POST")).toBe(true));
  const post = requests.find((one) => one.method === "POST");
  expect(await post?.json()).toEqual({ seeds: [1, 2, 3], retry: false });
});

test("what is there leads to its comparison, and what failed can be tried again", async () => {
  answerRequests({
    "GET /api/v1/reproduction": {
      body: answer(preset("table-2", experiment), preset("table-4", null)),
    },
  });
  renderPage(<PaperPage />);
  const link = await screen.findByRole("link", { name: "Title of table-2" });
  expect(link).toHaveAttribute("href", "/compare/e1");
  expect(screen.getByRole("button", { name: "Start the other 1" })).toBeEnabled();
  expect(screen.getByRole("button", { name: "Retry failed and cancelled runs" })).toBeEnabled();
  expect(screen.getByRole("link", { name: "Download report" })).toHaveAttribute(
    "href",
    "/api/v1/reproduction/report?seeds=1&seeds=2&seeds=3",
  );
});
