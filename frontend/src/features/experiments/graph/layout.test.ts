import { expect, test } from "vitest";
import { type GraphNode, layoutGraph } from "./layout";

const node = (stage: string, method: string | null, seed: number): GraphNode => ({
  cell: `${stage} ${method} ${seed}`,
  stage,
  name: `${stage} ${method}`,
  method,
  seed,
  parents: [],
  reused: false,
  state: "waiting",
  runId: "r",
});
const trained = (method: string) =>
  [1, 2, 3].flatMap((seed) => [
    node("sample", null, seed),
    node("train", method, seed),
    node("evaluate", method, seed),
  ]);
const widthOf = (method: string, folded: boolean) =>
  layoutGraph(trained(method), folded).boxes.find((box) => box.stage === "train")?.width ?? 0;

test("a column is as wide as the longest method in it, and wider with the count of its seeds", () => {
  const short = widthOf("RFT", false);
  const long = widthOf("AFT · boundary · searched β", false);
  expect(long).toBeGreaterThan(short);
  expect(widthOf("AFT · boundary · searched β", true)).toBeGreaterThan(long);
  expect(widthOf("x".repeat(60), true)).toBeLessThan(400);
});

test("columns do not run into each other, however wide they are", () => {
  const { columns, width } = layoutGraph(trained("AFT · boundary · searched β"), true);
  const ends = columns.map((column) => column.x + column.width);
  for (const [place, column] of columns.slice(1).entries())
    expect(column.x).toBeGreaterThan(ends[place] ?? Number.NaN);
  expect(width).toBe(ends.at(-1));
});
