import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { answerRequests } from "@/test/network";
import { renderPage } from "@/test/render";
import { JudgeRuns } from "./JudgeRuns";
import type { Judge, JudgeRun } from "./queries";
import { TriedItems } from "./TriedItems";

const used = {
  requests: 9,
  cached: 0,
  unreadable: 0,
  prompt_tokens: 900,
  completion_tokens: 180,
  usd: null,
};
const run: JudgeRun = {
  run_id: "r1",
  name: "Rate with main",
  state: "failed",
  done: 6,
  total: 30,
  phase: "",
  title: "The judge could not go on",
  problem: "The endpoint's budget of 9 requests is used up. Raise it in the settings, then go on.",
  remedy: "6 of 30 candidates are rated and stored; a retry goes on from there.",
  used,
  queue_id: null,
  created_at: "2026-01-01T00:00:00Z",
};

test("a run that ended says why, what to do, what is kept, and goes on", async () => {
  const user = userEvent.setup();
  const { requests } = answerRequests({
    "GET /api/v1/judges/main/runs": { body: { items: [run] } },
    "POST /api/v1/runs/r1/retry": { body: {} },
  });
  renderPage(<JudgeRuns judge={{ name: "main" } as Judge} />);
  const said = await screen.findByRole("alert");
  for (const words of [run.title, run.problem, run.remedy]) expect(said).toHaveTextContent(words);
  await user.click(screen.getByRole("button", { name: "Go on" }));
  expect(requests.some((one) => one.method === "POST")).toBe(true);
});

test("a try without any reply says so instead of counting to nought", () => {
  renderPage(
    <TriedItems tried={{ items: [], problem: "The endpoint refuses the key (401).", used }} />,
  );
  expect(screen.getByText(/^no reply · 9 requests/)).toBeInTheDocument();
  expect(screen.getByRole("alert")).toHaveTextContent("refuses the key");
});
