import { expect, test } from "vitest";
import type { Upload } from "../queries";
import { choiceColumns, needsColumns, withChoices, withColumn } from "./reading";

test("a mapping begins with its question and ends with it", () => {
  expect(withColumn(null, "answer", "a")).toBeNull();
  const begun = withColumn(null, "question", "q");
  expect(begun).toEqual({ question: "q" });
  expect(withColumn(begun, "answer", "a")).toEqual({ question: "q", answer: "a" });
  expect(withColumn(begun, "question", null)).toBeNull();
});

test("one column of choices is a list, several are a choice each", () => {
  const mapping = { question: "q" };
  expect(withChoices(mapping, ["options"]).choices).toBe("options");
  expect(withChoices(mapping, ["A", "B"]).choices).toEqual(["A", "B"]);
  expect(withChoices(mapping, []).choices).toBeNull();
  expect(choiceColumns(withChoices(mapping, ["options"]))).toEqual(["options"]);
  expect(choiceColumns(null)).toEqual([]);
});

test("only a file of questions that was not recognised needs columns", () => {
  const file = (role: string, mapping: unknown) => ({
    upload: { detection: { role, mapping } } as unknown as Upload,
    mapping: null,
    part: null,
    task: null,
  });
  expect(needsColumns(file("questions", null))).toBe(true);
  expect(needsColumns(file("questions", { question: "q" }))).toBe(false);
  expect(needsColumns(file("ids", null))).toBe(false);
  expect(needsColumns({ ...file("questions", null), mapping: { question: "q" } })).toBe(false);
});
