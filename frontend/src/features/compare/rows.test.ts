import { describe, expect, it } from "vitest";
import type { MethodRow, Statistic } from "./queries";
import { columnOf, columnsOf, taskOf, verdictWords, visibleRows } from "./rows";

const row = (method: string, mean: number | null, difference: number | null, p: number | null) =>
  ({
    method,
    is_baseline: method === "VFT",
    statistics: { task_accuracy: { mean, difference, p_holm: p } },
  }) as unknown as MethodRow;

const ROWS = [
  row("VFT", 0.3, null, null),
  row("A", 0.4, 0.1, 0.02),
  row("B", null, null, null),
  row("C", 0.2, -0.1, 0.5),
];
const names = (rows: MethodRow[]) => rows.map((one) => one.method).join(" ");
const view = { sort: undefined, metric: "task_accuracy", pinned: [], hidden: [] };

describe("visibleRows", () => {
  it("keeps the experiment's order by default and leaves hidden methods out", () => {
    expect(names(visibleRows(ROWS, { ...view, hidden: ["A"] }))).toBe("VFT B C");
  });
  it("sorts with what was not measured last, either way", () => {
    const by = (descending: boolean) => ({
      ...view,
      sort: { column: "task_accuracy", descending },
    });
    expect(names(visibleRows(ROWS, by(true)))).toBe("A VFT C B");
    expect(names(visibleRows(ROWS, by(false)))).toBe("C VFT A B");
  });
  it("puts the baseline between better and worse", () => {
    const sort = { column: "difference", descending: true };
    expect(names(visibleRows(ROWS, { ...view, sort }))).toBe("A VFT C B");
  });
  it("keeps pinned methods on top", () => {
    const sort = { column: "task_accuracy", descending: true };
    expect(names(visibleRows(ROWS, { ...view, sort, pinned: ["C", "VFT"] }))).toBe("VFT C A B");
  });
});

it("says noise in words", () => {
  const statistic = (verdict: string | null, difference: number | null = 0.1) =>
    ({ verdict, difference }) as unknown as Statistic;
  expect(verdictWords(statistic("within noise"))).toBe("within noise");
  expect(verdictWords(statistic("lower"))).toBe("lower");
  expect(verdictWords(statistic(null))).toBe("not tested");
  expect(verdictWords(statistic(null, null))).toBe("");
});

describe("columns of one task's questions", () => {
  const metrics = ["task_accuracy", "perplexity", "rating_agreement"];
  it("are named for the task and leave out what no task has", () => {
    expect(columnsOf(metrics, "gsm8k").map((one) => one.metric)).toEqual([
      "task_accuracy/gsm8k",
      "perplexity/gsm8k",
    ]);
    expect(columnsOf(metrics)).toHaveLength(3);
    expect(columnOf("perplexity", "aqua")).toMatchObject({
      measure: "perplexity",
      metric: "perplexity/aqua",
      name: "Perplexity, aqua questions",
    });
    expect(columnOf("rating_agreement", "aqua").metric).toBe("task_accuracy/aqua");
  });
  it("are of no task that the comparison lacks", () => {
    expect(taskOf(["aqua"], { task: "gsm8k" })).toBeUndefined();
    expect(taskOf(["aqua"], { task: "aqua" })).toBe("aqua");
  });
});
