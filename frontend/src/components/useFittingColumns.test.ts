import type { ColumnDef } from "@tanstack/react-table";
import { expect, test } from "vitest";
import { columnsToDrop } from "./useFittingColumns";

const COLUMNS: ColumnDef<object>[] = [
  { id: "name", size: 200 },
  { id: "made", size: 100, meta: { drop: 1 } },
  { id: "size", size: 100, meta: { drop: 2 } },
];

test("a table with room for everything keeps every column", () => {
  expect(columnsToDrop(COLUMNS, [], 400)).toEqual([]);
});

test("the least needed column goes first, and only as many as have to", () => {
  expect(columnsToDrop(COLUMNS, [], 320)).toEqual(["size"]);
  expect(columnsToDrop(COLUMNS, [], 290)).toEqual(["size", "made"]);
});

test("a column that is needed stays, also where it does not fit", () => {
  expect(columnsToDrop(COLUMNS, [], 50)).toEqual(["size", "made"]);
});

test("a hidden column takes no room", () => {
  expect(columnsToDrop(COLUMNS, ["size"], 300)).toEqual([]);
});
