import { describe, expect, it } from "vitest";
import { pieces } from "./marking";

const rating = (start: number, end: number) => ({
  rater: "oracle",
  value: 9,
  note: "",
  wrong_steps: [{ start, end }],
});

describe("pieces", () => {
  it("marks the answer and the wrong steps and keeps the text whole", () => {
    const text = "a : 1 + 1 = 3 . [ANS] 3";
    const found = pieces({ text, answer_span: { start: 22, end: 23 }, ratings: [rating(0, 15)] });
    expect(found).toEqual([
      { text: "a : 1 + 1 = 3 .", kind: "wrong-step" },
      { text: " [ANS] ", kind: "plain" },
      { text: "3", kind: "answer" },
    ]);
    expect(found.map((one) => one.text).join("")).toBe(text);
  });
  it("counts characters as the server does, beyond the basic plane too", () => {
    const text = "😀😀 [ANS] 7";
    expect(pieces({ text, answer_span: { start: 9, end: 10 }, ratings: [] }).at(-1)).toEqual({
      text: "7",
      kind: "answer",
    });
  });
  it("cuts a span that lies beyond the shown text", () => {
    expect(pieces({ text: "ab", answer_span: { start: 1, end: 99 }, ratings: [] })).toEqual([
      { text: "a", kind: "plain" },
      { text: "b", kind: "answer" },
    ]);
  });
});
