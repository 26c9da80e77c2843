import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { answerRequests } from "@/test/network";
import { renderPage } from "@/test/render";
import type { CandidateSet } from "./queries";
import { ScoreUnder, ScoringRuns } from "./ScoreUnder";

const SET = "/api/v1/candidate-sets/s1";
const scored = (id: string, n: number) => ({
  model_run_id: id,
  model: id,
  score: -1,
  n_scored: n,
  n_violated: 0,
  n_questions_violated: 0,
});
const set: CandidateSet = {
  run_id: "s1",
  name: "pool",
  kind: "sample",
  purpose: "assessment",
  seed: 1,
  method: null,
  dataset_version_id: "v1",
  created_at: "2026-01-01T00:00:00Z",
  counts: { all: 5, questions: 1, right: 2, wrong: 3, duplicate: 1 },
  sources: {},
  models: [scored("VFT", 4), scored("RRHF", 3)],
};
const checkpoint = (id: string) => ({ model_run_id: id, model: id, kind: "train", seed: 1 });
const run = (state: string, problem: string | null = null) => ({
  model_run_id: "AFT",
  run_id: "r1",
  state,
  progress: { done: 0, total: null, phase: "", rate: null, eta_seconds: null },
  problem,
});

test("a scored set is scored under one more checkpoint, and one that is done is not offered", async () => {
  const user = userEvent.setup();
  const { requests } = answerRequests({
    [`GET ${SET}`]: { body: set },
    [`GET ${SET}/checkpoints`]: { body: ["VFT", "RRHF", "AFT"].map(checkpoint) },
    [`GET ${SET}/scores`]: { body: [] },
    [`POST ${SET}/scores`]: {
      status: 202,
      body: { run_id: "r1", state: "queued", reused: false },
    },
  });
  renderPage(<ScoreUnder setId="s1" />);
  await user.click(screen.getByRole("button", { name: "Score under…" }));
  await user.click(await screen.findByRole("combobox", { name: "Checkpoint" }));
  const offered = screen.getAllByRole("option").map((one) => one.textContent);
  expect(offered).toEqual(["RRHF (3 of 5 scored)", "AFT"]);
  await user.click(screen.getByRole("option", { name: "AFT" }));
  await user.click(screen.getByRole("button", { name: "Score the COTs" }));
  await waitFor(() =>
    expect(screen.queryByRole("button", { name: "Score the COTs" })).not.toBeInTheDocument(),
  );
  const sent = requests.find((request) => request.method === "POST");
  expect(await sent?.json()).toEqual({ model_run_id: "AFT" });
});

test("where every model has scored the set or is at it, the way to another one is named", async () => {
  const user = userEvent.setup();
  answerRequests({
    [`GET ${SET}`]: { body: set },
    [`GET ${SET}/checkpoints`]: { body: ["VFT", "AFT"].map(checkpoint) },
    [`GET ${SET}/scores`]: { body: [run("running")] },
  });
  renderPage(<ScoreUnder setId="s1" />);
  await user.click(screen.getByRole("button", { name: "Score under…" }));
  expect(await screen.findByText(/has scored these COTs, or is at it/)).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Train another" })).toBeInTheDocument();
});

test("what shows scores is read anew once a score run ends", async () => {
  let state = "running";
  answerRequests({
    [`GET ${SET}/checkpoints`]: { body: [checkpoint("AFT")] },
    [`GET ${SET}/scores`]: () => ({ body: state === "running" ? [run("running")] : [] }),
  });
  const { client } = renderPage(<ScoringRuns setId="s1" />);
  client.setQueryData(["cots", "s1", "questions"], "old");
  expect(await screen.findByText(/AFT: starting/)).toBeInTheDocument();
  state = "succeeded";
  await waitFor(
    () => expect(client.getQueryState(["cots", "s1", "questions"])?.isInvalidated).toBe(true),
    { timeout: 3_000 },
  );
  expect(screen.queryByRole("status")).not.toBeInTheDocument();
});

test("a score run that failed says why and leads to the run", async () => {
  answerRequests({
    [`GET ${SET}/checkpoints`]: { body: [checkpoint("AFT")] },
    [`GET ${SET}/scores`]: { body: [run("failed", "No space is left.")] },
  });
  renderPage(<ScoringRuns setId="s1" />);
  expect(await screen.findByText("The COTs could not be scored under AFT")).toBeInTheDocument();
  expect(screen.getByText("No space is left.")).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Open the run" })).toHaveAttribute("href", "/runs/r1");
});
