import { fireEvent, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { answerRequests } from "@/test/network";
import { renderPage } from "@/test/render";
import { CasePanel } from "./CasePanel";
import { ComparisonExports } from "./ComparisonExports";
import { type CompareState, readState } from "./compareState";
import type { CaseStudy } from "./queries";

const chosen: CompareState = readState(new URLSearchParams("run=r1&run=r2&baseline=VFT"));
const study: CaseStudy = {
  example_id: 7,
  question: "How many?",
  reference: "3 + 4 = 7",
  gold: "7",
  seed: 1,
  seeds: [1],
  steps_checked: true,
  answers: [
    {
      method: "VFT",
      family: "vft",
      constraint: "none",
      run_id: "r1",
      text: "3 + 4 = 8",
      verdict: "wrong",
      answer: "8",
      wrong_start: 0,
      wrong_end: 9,
      repetition: 0,
    },
  ],
  repetition: { VFT: 0 },
  next_example_id: 9,
};

test("chosen runs are exported as an experiment is, with report and bundle", async () => {
  renderPage(<ComparisonExports experimentId="" state={chosen} />);
  fireEvent.click(screen.getByRole("button", { name: "Export" }));
  const bundle = await screen.findByRole("menuitem", { name: "Reproduction bundle, zip" });
  expect(bundle).toHaveAttribute(
    "href",
    "/api/v1/chosen-runs/bundle?test=mcnemar&baseline=VFT&run=r1&run=r2",
  );
  const { requests } = answerRequests({ "GET /api/v1/chosen-runs/report.html": { status: 404 } });
  fireEvent.click(screen.getByRole("menuitem", { name: "Report, one HTML page" }));
  await expect.poll(() => requests.length).toBe(1);
  expect(new URL(requests[0]?.url ?? "").searchParams.getAll("run")).toEqual(["r1", "r2"]);
});

test("an experiment's bundle is asked for at the experiment", async () => {
  const state = readState(new URLSearchParams("block=d1m2"));
  renderPage(<ComparisonExports experimentId="e1" state={state} />);
  fireEvent.click(screen.getByRole("button", { name: "Export" }));
  const bundle = await screen.findByRole("menuitem", { name: "Reproduction bundle, zip" });
  expect(bundle).toHaveAttribute("href", "/api/v1/experiments/e1/bundle?test=paired-t&block=d1m2");
});

test("the case study of chosen runs asks for them and leads to their COTs", async () => {
  const { requests } = answerRequests({
    "GET /api/v1/chosen-runs/case-study": { body: study },
  });
  let change: Partial<CompareState> = {};
  renderPage(
    <CasePanel
      experimentId=""
      state={chosen}
      onChange={(next) => {
        change = next;
      }}
    />,
  );
  const link = await screen.findByRole("link", { name: "in the COTs" });
  expect(link).toHaveAttribute("href", "/cots/sets/r1?question=7");
  expect(new URL(requests[0]?.url ?? "").searchParams.getAll("run")).toEqual(["r1", "r2"]);
  expect(screen.getByTitle("First wrong step")).toHaveTextContent("3 + 4 = 8");
  fireEvent.click(screen.getByRole("button", { name: "Another question" }));
  expect(change).toEqual({ case: 9 });
});
