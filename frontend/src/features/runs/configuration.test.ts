import { describe, expect, it } from "vitest";
import { flatten, humanName } from "./configuration";

describe("flatten", () => {
  it("names nested settings by their path and keeps their order", () => {
    expect(flatten({ method: { name: "aft", beta: null }, seeds: [1, 2], k: 6 })).toEqual([
      ["method.name", "aft"],
      ["method.beta", "–"],
      ["seeds", "[1,2]"],
      ["k", "6"],
    ]);
  });
});

describe("humanName", () => {
  it("says a measure in words and falls back to its own name", () => {
    expect(humanName("perplexity")).toBe("Perplexity of right COTs");
    expect(humanName("pass_at_4")).toBe("pass at 4");
  });
});

it("names a task's own number as such", () => {
  expect(humanName("task_accuracy/gsm8k")).toBe("Task accuracy, gsm8k questions");
  expect(humanName("score_auroc/aqua")).toBe("score auroc, aqua questions");
});
