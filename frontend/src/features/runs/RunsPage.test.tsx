import { fireEvent, screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { answerRequests } from "@/test/network";
import { renderPage } from "@/test/render";
import { runSample } from "@/test/samples";
import { groupedLines } from "./grouping";
import type { GroupedRow, RunGroup } from "./queries";
import { RunsPage } from "./RunsPage";
import { statesInWords } from "./runStates";

const group = (key: string, changes: Partial<RunGroup> = {}): RunGroup => ({
  key,
  experiment_id: "e1",
  experiment_name: "Losses",
  method: key.split(":")[1] ?? null,
  runs: 2,
  states: { succeeded: 1, failed: 1 },
  ...changes,
});
const row = (id: string, key: string): GroupedRow => ({
  ...runSample({ id, name: `run ${id}`, state: "succeeded" }),
  group: key,
});

test("a group that is closed keeps its head, and nothing stands behind rows still to come", () => {
  const groups = ["e1:VFT", "e1:RFT", "e1:AFT", "e1:DPO"].map((key) => group(key));
  const rows = [row("a", "e1:VFT"), row("b", "e1:AFT")];
  const ids = (hasMore: boolean) =>
    groupedLines(groups, rows, new Set(["e1:RFT"]), hasMore).map((line) => line.id);
  const begin = ["group e1:VFT", "a", "group e1:RFT", "group e1:AFT", "b"];
  expect(ids(true)).toEqual(begin);
  expect(ids(false)).toEqual([...begin, "group e1:DPO"]);
});

test("states are counted in words", () => {
  expect(statesInWords({ running: 1, starting: 1, succeeded: 3, failed: 0 })).toBe(
    "2 running, 3 done",
  );
});

test("runs stand below their experiment and method; a head opens, closes and is never selected", async () => {
  const { requests } = answerRequests({
    "GET /api/v1/runs/groups": { body: [group("e1:VFT"), group("-:", { experiment_id: null })] },
    "GET /api/v1/runs/grouped": {
      body: { items: [row("a", "e1:VFT"), row("b", "-:")], next_after: null },
    },
    "GET /api/v1/runs/tags": { body: [] },
  });
  renderPage(<RunsPage />, { path: "/runs" });
  const head = await screen.findByRole("button", { name: "Runs of Losses, VFT" });
  const line = head.closest("tr") as HTMLElement;
  expect(line).toHaveTextContent("2 runs: 1 done, 1 failed");
  expect(within(line).queryByRole("checkbox")).toBeNull();
  fireEvent.click(screen.getByRole("checkbox", { name: "Select all rows" }));
  expect(screen.getByRole("button", { name: "Clone 2" })).toBeEnabled();
  fireEvent.click(head);
  await expect
    .poll(() => new URL(requests.at(-1)?.url ?? "").searchParams.getAll("closed"))
    .toEqual(["e1:VFT"]);
  expect(screen.getByRole("button", { name: "Runs of Losses, VFT" })).toHaveAttribute(
    "aria-expanded",
    "false",
  );
});

test("newest first asks for the plain list", async () => {
  answerRequests({
    "GET /api/v1/runs": { body: { items: [runSample()], next_after: null } },
    "GET /api/v1/runs/tags": { body: [] },
  });
  renderPage(<RunsPage />, { path: "/runs?order=newest" });
  expect(await screen.findByRole("link", { name: runSample().name })).toBeInTheDocument();
  expect(screen.queryByText("No experiment")).toBeNull();
});
