import { expect, test } from "vitest";
import { readSeeds, seedsIn, USUAL_SEEDS } from "./seeds";

test.each([
  ["seeds=1,2,3,4,5", [1, 2, 3, 4, 5]],
  ["seeds= 7 ,7,0,-1,x,2.5", [7]],
  ["seeds=0", USUAL_SEEDS],
  ["", USUAL_SEEDS],
])("the address %j names seeds", (query, seeds) => {
  expect(seedsIn(new URLSearchParams(query))).toEqual(seeds);
});

test("what cannot be reported is said", () => {
  expect(readSeeds(["1", "2"])).toEqual({ seeds: [1, 2], problem: null });
  expect(readSeeds(["0"]).problem).toContain("0 is for tuning");
  expect(readSeeds(["one"]).problem).toContain("'one'");
  expect(readSeeds([]).problem).toBe("Name at least one seed.");
});
