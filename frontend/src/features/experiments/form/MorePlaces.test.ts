import { expect, test } from "vitest";
import { withSplits } from "./MorePlaces";

test("a data set that stays keeps its split, and a new one has its newest", () => {
  const before = [{ dataset_version_id: "a", split_id: "s" }];
  expect(withSplits(["b", "a"], before)).toEqual([
    { dataset_version_id: "b", split_id: null },
    { dataset_version_id: "a", split_id: "s" },
  ]);
  expect(withSplits([], before)).toEqual([]);
});
