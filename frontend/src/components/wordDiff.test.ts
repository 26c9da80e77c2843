import { expect, test } from "vitest";
import { wordDiff } from "./wordDiff";

test("words of one text only are told from those of both", () => {
  expect(wordDiff("so 5 eggs", "so 7 eggs")).toEqual([
    { text: "so ", kind: "same" },
    { text: "5", kind: "only-here" },
    { text: "7", kind: "only-there" },
    { text: " eggs", kind: "same" },
  ]);
});

test("texts too long to compare are not compared", () => {
  expect(wordDiff("a ".repeat(2_000), "b")).toBeNull();
});
