import type { ColumnDef } from "@tanstack/react-table";
import { type RefObject, useLayoutEffect, useMemo, useState } from "react";

/** Ids of the columns to leave out so that the others fit into the width, those with the largest `drop` first. */
export function columnsToDrop<Item>(
  columns: readonly ColumnDef<Item>[],
  hidden: readonly string[],
  width: number,
): string[] {
  const shown = columns.filter((column) => !hidden.includes(column.id ?? ""));
  const sizeOf = (column: ColumnDef<Item>) => column.size ?? 150;
  let needed = shown.reduce((sum, column) => sum + sizeOf(column), 0);
  const dropped: string[] = [];
  const droppable = shown.filter((column) => column.meta?.drop !== undefined);
  droppable.sort((a, b) => (b.meta?.drop ?? 0) - (a.meta?.drop ?? 0));
  for (const column of droppable) {
    if (needed <= width) break;
    needed -= sizeOf(column);
    dropped.push(column.id ?? "");
  }
  return dropped;
}

/** The columns that do not fit beside the others, as the table's place is now. */
export function useFittingColumns<Item>(
  place: RefObject<HTMLElement | null>,
  columns: readonly ColumnDef<Item>[],
  hidden: readonly string[],
): string[] {
  const [width, setWidth] = useState(0);
  // No dependencies: an empty table has no place yet, and gets one with its first row.
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  });
  return useMemo(
    () => (width === 0 ? [] : columnsToDrop(columns, hidden, width)),
    [columns, hidden, width],
  );
}
