import { fireEvent, screen } from "@testing-library/react";
import { useState } from "react";
import { expect, test } from "vitest";
import { renderPage } from "@/test/render";
import { ComparisonControls } from "./ComparisonControls";
import { ComparisonTable } from "./ComparisonTable";
import { readState } from "./compareState";
import type { Comparison, MethodRow, Statistic } from "./queries";

const statistic = (mean: number, difference: number | null): Statistic => ({
  mean,
  std: 0.01,
  n: 3,
  values: {},
  difference,
  difference_low: null,
  difference_high: null,
  p_value: null,
  p_holm: null,
  tested_n: null,
  verdict: null,
  published_mean: null,
  published_std: null,
});
const row = (method: string, all: number, sums: number): MethodRow => ({
  method,
  family: method === "VFT" ? "vft" : "rft",
  constraint: "none",
  is_baseline: method === "VFT",
  statistics: {
    task_accuracy: statistic(all, method === "VFT" ? null : 0.05),
    "task_accuracy/gsm8k": statistic(sums, method === "VFT" ? null : -0.2),
  },
  run_ids: {},
  missing: [],
});
const comparison = (tasks: string[]): Comparison => ({
  baseline: "VFT",
  metrics: ["task_accuracy"],
  tasks,
  rows: [row("VFT", 0.4, 0.6), row("RFT", 0.45, 0.4)],
  test: "paired-t",
  test_about: "",
  seed: null,
  published: null,
  published_choices: [],
  published_source: "",
  block: "d1m1",
  notes: [],
});

function Compared({ tasks, address = "" }: { tasks: string[]; address?: string }) {
  const [state, setState] = useState(readState(new URLSearchParams(address)));
  const shared = {
    comparison: comparison(tasks),
    state,
    onChange: (change: Partial<typeof state>) => setState((before) => ({ ...before, ...change })),
  };
  return (
    <>
      <ComparisonControls {...shared} seeds={[1]} blocks={[]} />
      <ComparisonTable experimentId="e1" {...shared} />
    </>
  );
}
const cells = (method: string) => screen.getByText(method, { selector: "tbody *" }).closest("tr");

test("a mixture's table counts one task's questions when asked", async () => {
  renderPage(<Compared tasks={["aqua", "gsm8k"]} />);
  expect(cells("RFT")).toHaveTextContent("45.0");
  expect(cells("RFT")).toHaveTextContent("+5.0");
  fireEvent.click(screen.getByLabelText("Questions", { selector: "input" }));
  fireEvent.click(await screen.findByText("gsm8k"));
  expect(cells("RFT")).toHaveTextContent("40.0");
  expect(cells("RFT")).toHaveTextContent("−20.0");
  expect(cells("VFT")).toHaveTextContent("60.0");
});

test("a data set of one task has no such choice, whatever the address says", () => {
  renderPage(<Compared tasks={[]} address="task=gsm8k" />);
  expect(screen.queryByText("Questions")).not.toBeInTheDocument();
  expect(cells("RFT")).toHaveTextContent("45.0");
});
