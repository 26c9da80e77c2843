import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useLocation } from "react-router";
import { expect, test } from "vitest";
import { answerRequests } from "@/test/network";
import { renderPage } from "@/test/render";
import type { CandidateSet } from "./queries";
import { Component as Cots } from "./routes";

const SET = "/api/v1/candidate-sets/s1";
const set: CandidateSet = {
  run_id: "s1",
  name: "pool",
  kind: "import-cots",
  purpose: "imported",
  seed: null,
  method: null,
  dataset_version_id: "v1",
  created_at: "2026-01-01T00:00:00Z",
  counts: { all: 2, questions: 1, right: 1, wrong: 1 },
  sources: {},
  models: [],
};
const base = { model_run_id: "m1", model: "base", kind: "train", seed: null };
const cot = (id: number, verdict: "right" | "wrong", score: number) => ({
  candidate_id: id,
  place: id,
  verdict,
  score,
  text: `The ${verdict} one.`,
});

test("an imported set's worst violations are ranked by the scores that came with its file", async () => {
  answerRequests({
    [`GET ${SET}`]: { body: set },
    [`GET ${SET}/beta/choices`]: { body: { models: [base], feedback: [] } },
    [`GET ${SET}/violations`]: {
      body: {
        items: [
          {
            example_id: 7,
            position: 0,
            question: "How many apples?",
            margin: -0.3,
            margin_against: null,
            n_violated: 1,
            n_pairs: 1,
            right: cot(0, "right", -0.5),
            wrong: cot(1, "wrong", -0.2),
          },
        ],
        next_after: null,
        n_questions: 1,
        n_questions_violated: 1,
        n_pairs: 1,
        n_violated: 1,
      },
    },
  });
  renderPage(<Cots />, { path: "/sets/s1/violations" });
  const question = await screen.findByRole("link", { name: "How many apples?" });
  expect(question).toHaveAttribute("href", "/cots/sets/s1?question=7&model=m1&look=pairs");
  expect(screen.getByRole("link", { name: "β explorer" })).toHaveAttribute(
    "href",
    "/cots/sets/s1/beta",
  );
});

test("a set without scores says why and starts the run that computes them", async () => {
  const user = userEvent.setup();
  let asked = 0;
  const { requests } = answerRequests({
    [`GET ${SET}`]: { body: set },
    [`GET ${SET}/beta/choices`]: { body: { models: [], feedback: [] } },
    [`GET ${SET}/checkpoints`]: { body: [base] },
    [`GET ${SET}/scores`]: () => ({
      body:
        asked === 0
          ? []
          : [
              {
                model_run_id: "m1",
                run_id: "r1",
                state: "queued",
                progress: { done: 0, total: null, phase: "", rate: null, eta_seconds: null },
                problem: null,
              },
            ],
    }),
    [`POST ${SET}/scores`]: () => {
      asked += 1;
      return { status: 202, body: { run_id: "r1", state: "queued", reused: false } };
    },
  });
  renderPage(<Cots />, { path: "/sets/s1/beta" });
  expect(await screen.findByText(/works on stored scores/)).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Score the COTs" }));
  expect(await screen.findByText(/waiting for a worker/)).toBeInTheDocument();
  const sent = requests.find((request) => request.method === "POST");
  expect(await sent?.json()).toEqual({ model_run_id: "m1" });
});

test("without a model that could score, the way there is named", async () => {
  answerRequests({
    [`GET ${SET}`]: { body: set },
    [`GET ${SET}/beta/choices`]: { body: { models: [], feedback: [] } },
    [`GET ${SET}/checkpoints`]: { body: [] },
    [`GET ${SET}/scores`]: { body: [] },
  });
  renderPage(<Cots />, { path: "/sets/s1/violations" });
  expect(await screen.findByText(/no finished model is here that could/)).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "New experiment" })).toBeInTheDocument();
});

test("the address says which COT is opened", async () => {
  const user = userEvent.setup();
  const candidate = (id: number) => ({
    id,
    text: `COT number ${id}`,
    text_truncated: false,
    verdict: "wrong",
    why: "",
    label: null,
    is_duplicate: false,
    is_reencoded: false,
    ratings: [],
    scores: [],
    answer_span: null,
    wrong_steps: [],
  });
  answerRequests({
    [`GET ${SET}`]: { body: set },
    [`GET ${SET}/scores`]: { body: [] },
    "GET /api/v1/saved-views": { body: { items: [] } },
    [`GET ${SET}/questions`]: { body: { items: [], next_after: null } },
    [`GET ${SET}/questions/7`]: {
      body: {
        example_id: 7,
        position: 0,
        external_id: "e7",
        question: "How many apples?",
        reference: "Six.",
        answer: "6",
        choices: null,
        task: "gsm8k",
        candidates: [candidate(30), candidate(31)],
        violated_pairs: [],
      },
    },
  });
  renderPage(
    <>
      <Cots />
      <Address />
    </>,
    { path: "/sets/s1?question=7&cot=31" },
  );
  const opened = await screen.findByRole("article", { name: "COT B, wrong" });
  expect(opened).toHaveAttribute("aria-current", "true");
  await user.keyboard("a");
  expect(screen.getByRole("article", { name: "COT A, wrong" })).toHaveAttribute(
    "aria-current",
    "true",
  );
  expect(screen.getByLabelText("Address")).toHaveTextContent("?question=7&cot=30");
});

function Address() {
  return <output aria-label="Address">{useLocation().search}</output>;
}
