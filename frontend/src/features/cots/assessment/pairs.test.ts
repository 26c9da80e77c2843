import { describe, expect, it } from "vitest";
import { letterOf, pairChange, pairGrid, type Scored } from "./pairs";

const cot = (id: number, verdict: Scored["verdict"], before: number, after?: number): Scored => ({
  id,
  verdict,
  scores: [
    { model_run_id: "before", model: "VFT", score: before },
    ...(after === undefined ? [] : [{ model_run_id: "after", model: "AFT", score: after }]),
  ],
});
const COTS = [
  cot(1, "right", -0.5, -0.4),
  cot(2, "wrong", -0.3, -0.8),
  cot(3, "right", -0.2, -0.9),
  cot(4, "truncated", -0.5),
];

describe("pairGrid", () => {
  it("puts the worst pair first and counts a tie as violated", () => {
    const grid = pairGrid(COTS, "before");
    expect(grid.rights.map((one) => one.id)).toEqual([1, 3]);
    expect(grid.wrongs.map((one) => one.id)).toEqual([2, 4]);
    expect(grid.rows[0]?.map((cell) => cell.violated)).toEqual([true, true]);
    expect(grid.rows[1]?.map((cell) => cell.violated)).toEqual([false, false]);
    expect(grid.rows[0]?.[0]?.difference).toBeCloseTo(-0.2);
    expect([grid.n, grid.nViolated, grid.nUnscored]).toEqual([4, 2, 0]);
  });
  it("leaves out what the model has not scored", () => {
    const grid = pairGrid(COTS, "after");
    expect([grid.n, grid.nUnscored]).toEqual([2, 1]);
    expect(pairGrid(COTS, "nobody").n).toBe(0);
  });
  it("counts pairs repaired and broken by training", () => {
    expect(pairChange(pairGrid(COTS, "before"), pairGrid(COTS, "after"))).toEqual({
      repaired: 1,
      broken: 1,
    });
  });
});

describe("letterOf", () => {
  it("goes on behind Z", () => {
    expect([0, 25, 26, 51, 52].map(letterOf)).toEqual(["A", "Z", "AA", "AZ", "BA"]);
  });
});
