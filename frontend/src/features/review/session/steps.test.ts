import { expect, test } from "vitest";
import { stepsOf } from "./steps";

const spans = (text: string) =>
  stepsOf(text).map((step) => [...text].slice(step.start, step.end).join(""));

test("each line is a step, blank ones are none", () => {
  expect(spans("3 + 4 = 7\n\n  7 * 2 = 14\n[ANS] 14")).toEqual([
    "3 + 4 = 7",
    "7 * 2 = 14",
    "[ANS] 14",
  ]);
});

test("one line is cut into sentences, not at decimal points", () => {
  expect(spans("She has 3.5 eggs. He eats two. So 1.5 are left.")).toEqual([
    "She has 3.5 eggs.",
    "He eats two.",
    "So 1.5 are left.",
  ]);
});

test("spans count code points, as the server does", () => {
  const [, second] = stepsOf("🦆🦆\nten");
  expect(second).toEqual({ text: "ten", start: 3, end: 6 });
});

test("nothing has no steps", () => {
  expect(stepsOf("")).toEqual([]);
  expect(stepsOf(" \n ")).toEqual([]);
});
