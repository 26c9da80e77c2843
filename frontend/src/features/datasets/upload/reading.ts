import type { Schema } from "@/api/client";
import type { Upload } from "../queries";

export type Mapping = Schema<"ColumnMapping">;
export type Task = Schema<"ImportRequest">["task"];
export type Part = NonNullable<Schema<"PreviewRequest">["part"]>;

/** A received file and how a person wants it read; what is null comes from what was recognised. */
export interface Reading {
  upload: Upload;
  mapping: Mapping | null;
  part: Part | null;
  /** Of this file's rows, in a data set of several tasks. */
  task: Task | null;
}

export type Column = "question" | "reference" | "answer" | "id" | "part" | "task";

/** The mapping with one column changed; without a question there is none. */
export function withColumn(
  mapping: Mapping | null,
  column: Column,
  name: string | null,
): Mapping | null {
  if (column === "question") return name === null ? null : { ...mapping, question: name };
  return mapping === null ? null : { ...mapping, [column]: name };
}

/** One column holds the list of choices, several hold one choice each in the order of the letters. */
export function withChoices(mapping: Mapping, names: string[]): Mapping {
  const [first, ...others] = names;
  return { ...mapping, choices: first === undefined ? null : others.length > 0 ? names : first };
}

/** The columns of the choices, however many. */
export function choiceColumns(mapping: Mapping | null): string[] {
  const choices = mapping?.choices ?? [];
  return typeof choices === "string" ? [choices] : choices;
}

/** Whether a file's columns still have to be said. */
export function needsColumns({ upload, mapping }: Reading): boolean {
  const { role, mapping: found } = upload.detection;
  return role === "questions" && found === null && mapping === null;
}
