import { expect, test } from "vitest";
import { describeError, problemOf } from "./errors";

test("a problem keeps its words and its fields", () => {
  const error = problemOf(422, {
    title: "A setting cannot work",
    detail: "k is 0.",
    remedy: "Use at least 2.",
    errors: [{ field: "spec.k", message: "k is 0. Use at least 2." }, { nonsense: true }],
  });
  expect(error.detail).toBe("k is 0.");
  expect(error.errors).toHaveLength(1);
  expect(error.fieldMessage("spec.k")).toMatch(/at least 2/);
  expect(error.fieldMessage("spec.name")).toBeUndefined();
});

test("a body that is no problem still gives a sentence and a remedy", () => {
  const error = problemOf(500, "Internal Server Error");
  expect(error.detail).toBe("Internal Server Error");
  expect(error.remedy).not.toBe("");
  expect(problemOf(404, null).detail).toContain("404");
});

test("any thrown thing can be described", () => {
  expect(describeError(new Error("no")).detail).toBe("no");
  expect(describeError("text").detail).toBe("text");
});
