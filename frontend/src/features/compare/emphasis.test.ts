import { expect, it } from "vitest";
import { emphasised, pointTarget } from "./emphasis";

const FIGURE = {
  title: "t",
  description: "d",
  columns: [],
  rows: [],
  figure: {
    data: [
      { meta: { method: "VFT" } },
      { meta: { method: "RFT" }, opacity: 0.5 },
      { name: "line" },
    ],
  },
};

it("what is not selected becomes faint, what belongs to no method stays", () => {
  const data = emphasised(FIGURE, ["VFT"]).figure.data as { opacity?: number }[];
  expect(data.map((trace) => trace.opacity)).toEqual([undefined, 0.07, undefined]);
  expect(emphasised(FIGURE, [])).toBe(FIGURE);
});

it("a seed's dot leads to its run, a mean to its method", () => {
  const seed = { meta: { method: "RFT", part: "seed" }, customdata: ["1", "run7"] };
  expect(pointTarget(seed)).toEqual({ method: "RFT", run: "run7" });
  const mean = { meta: { method: "RFT", part: "mean" }, customdata: undefined };
  expect(pointTarget(mean)).toEqual({ method: "RFT", run: undefined });
  expect(pointTarget({ meta: undefined, customdata: 3 }).method).toBeUndefined();
});
