import { expect, test } from "vitest";
import { toDecide, valueWords } from "./decision";

const item = {
  cots: [7, 8, 9].map((candidate_id) => ({ candidate_id })),
} as Parameters<typeof toDecide>[1];

test("places become tiers, equal ones tied", () => {
  const decided = toDecide("rank", item, { 7: "2", 8: "1", 9: "2" }, "n", "id");
  expect(decided).toMatchObject({ tiers: [[8], [7, 9]], note: "n", submission_id: "id" });
});

test("points become values by candidate", () => {
  expect(toDecide("rate", item, { 7: "2", 8: "10", 9: "4,5" }, "", "id")).toMatchObject({
    values: { 7: 2, 8: 10, 9: 4.5 },
    tiers: [],
  });
});

test("what is missing or off the scale is said", () => {
  expect(toDecide("rate", item, {}, "", "id")).toBe("");
  expect(toDecide("rate", item, { 7: "3" }, "", "id")).toBe("2 of the COTs have no value yet.");
  expect(toDecide("rate", item, { 7: "3", 8: "11", 9: "1" }, "", "id")).toContain("1 to 10");
  expect(toDecide("rank", item, { 7: "4", 8: "1", 9: "1" }, "", "id")).toContain("1 to 3");
});

test("values are said in the mode's words", () => {
  expect(valueWords("verify", 0.5, 1)).toBe("unsure");
  expect(valueWords("pair", 1, 2)).toBe("better");
  expect(valueWords("rank", 1, 4)).toBe("place 1");
  expect(valueWords("rank", 0.5, 4)).toBe("place 2.5 =");
  expect(valueWords("rate", 7.5, 4)).toBe("7.5");
});
