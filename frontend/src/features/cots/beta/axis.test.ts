import { describe, expect, it } from "vitest";
import { boundaries, isUnder, readBeta, scoreAxis } from "./axis";
import type { BetaCandidate } from "./queries";

const cot = (score: number, lowest_better: number | null): BetaCandidate => ({
  candidate_id: 1,
  place: 0,
  verdict: lowest_better === null ? "right" : "wrong",
  score,
  rating: lowest_better === null ? 1 : 0,
  lowest_better,
  coefficients: { none: 0, detached: 0, boundary: 0 },
});
const COTS = [cot(-0.4, null), cot(-0.9, -0.4), cot(-0.55, -0.4)];

describe("β", () => {
  it("is read from text, or not at all", () => {
    expect(["0.2", "-0.8", "", "x", "9", null].map(readBeta)).toEqual([
      0.2,
      -0.8,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
  it("puts the boundary β below the lowest better score", () => {
    expect(boundaries(COTS, 0.15)).toEqual([-0.55]);
    expect(COTS.map((one) => isUnder(one, 0.15))).toEqual([false, true, true]);
    expect(COTS.map((one) => isUnder(one, 0.2))).toEqual([false, true, false]);
  });
  it("keeps all scores on the axis", () => {
    const axis = scoreAxis(COTS, 0.15);
    for (const one of COTS) {
      expect(axis.at(one.score)).toBeGreaterThan(0);
      expect(axis.at(one.score)).toBeLessThan(100);
    }
  });
});
