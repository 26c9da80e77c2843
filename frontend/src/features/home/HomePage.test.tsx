import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Route, Routes } from "react-router";
import { expect, test } from "vitest";
import { answerRequests } from "@/test/network";
import { renderPage } from "@/test/render";
import { experimentSample, runSample, systemSample } from "@/test/samples";
import { HomePage } from "./HomePage";

const EMPTY = { items: [], next_after: null };
const LATER = { datasets: 2, models: 1, experiments: 1, active_runs: 31 };

const pages = (
  <Routes>
    <Route path="/" element={<HomePage />} />
    <Route path="/experiments/:id" element={<p>the experiment</p>} />
  </Routes>
);

test("the first time there are three ways to begin", async () => {
  answerRequests({
    "GET /api/v1/system": { body: systemSample() },
    "GET /api/v1/runs": { body: EMPTY },
  });
  renderPage(pages);
  expect(await screen.findByRole("button", { name: "Run the demo" })).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Upload a data set" })).toHaveAttribute(
    "href",
    "/datasets/new",
  );
  expect(screen.getByRole("link", { name: "Read how it works" })).toHaveAttribute(
    "href",
    "/how-it-works",
  );
});

test("the demo is started once and its experiment shown", async () => {
  const { requests } = answerRequests({
    "GET /api/v1/system": { body: systemSample() },
    "GET /api/v1/runs": { body: EMPTY },
    "POST /api/v1/demo": { status: 201, body: { experiment_id: "e1", already_running: false } },
  });
  renderPage(pages);
  await userEvent.click(await screen.findByRole("button", { name: "Run the demo" }));
  expect(await screen.findByText("the experiment")).toBeInTheDocument();
  expect(requests.filter((request) => request.method === "POST")).toHaveLength(1);
});

test("a demo that cannot start says why", async () => {
  answerRequests({
    "GET /api/v1/system": { body: systemSample() },
    "GET /api/v1/runs": { body: EMPTY },
    "POST /api/v1/demo": {
      status: 507,
      body: { title: "The disk is full", detail: "0.1 GB are free.", remedy: "Free 1 GB." },
    },
  });
  renderPage(pages);
  await userEvent.click(await screen.findByRole("button", { name: "Run the demo" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("0.1 GB are free.Free 1 GB.");
});

test("later there are comparisons, active runs, warnings and the machine", async () => {
  const warnings = [
    {
      level: "warning",
      title: "Only 1.2 GiB are free.",
      remedy: "Delete checkpoints.",
      run_id: null,
    },
  ] as const;
  answerRequests({
    "GET /api/v1/system": { body: systemSample({ counts: LATER, warnings: [...warnings] }) },
    "GET /api/v1/runs": { body: { items: [runSample()], next_after: null } },
    "GET /api/v1/experiments": { body: { items: [experimentSample()], next_after: null } },
  });
  renderPage(pages);
  expect(await screen.findByText("Only 1.2 GiB are free.")).toBeInTheDocument();
  const link = await screen.findByRole("link", { name: /Compare the methods of Ten methods/ });
  expect(link).toHaveAttribute("href", "/compare/e1");
  expect(screen.getByText(/36 \/ 67 runs/)).toBeInTheDocument();
  expect(await screen.findByRole("link", { name: "AFT · boundary · seed 2" })).toBeInTheDocument();
  expect(screen.getByText("30 more runs wait")).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "0 of 1 busy" })).toBeInTheDocument();
});

test("a server error shows its remedy and tries again", async () => {
  let fails = true;
  answerRequests({
    "GET /api/v1/system": () =>
      fails
        ? { status: 409, body: { title: "Locked", detail: "It migrates.", remedy: "Wait." } }
        : { body: systemSample() },
    "GET /api/v1/runs": { body: EMPTY },
  });
  renderPage(pages);
  const error = await screen.findByRole("alert");
  expect(error).toHaveTextContent("It migrates.");
  fails = false;
  await userEvent.click(within(error).getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("button", { name: "Run the demo" })).toBeInTheDocument();
});
