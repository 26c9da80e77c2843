import type { GroupedRow, RunGroup, RunRow } from "./queries";

/** A line of the runs table: a run, or the head of its group. */
export type Line =
  | { id: string; run: RunRow; group?: undefined }
  | { id: string; run?: undefined; group: RunGroup; open: boolean };

export const runLines = (rows: readonly RunRow[]): Line[] =>
  rows.map((run) => ({ id: run.id, run }));

/**
 * Heads and rows in the outline's order. While pages are missing, nothing stands behind the last row that came: what
 * belongs there is not known yet.
 */
export function groupedLines(
  groups: readonly RunGroup[],
  rows: readonly GroupedRow[],
  closed: ReadonlySet<string>,
  hasMore: boolean,
): Line[] {
  const byGroup = new Map<string, GroupedRow[]>();
  for (const row of rows) {
    const there = byGroup.get(row.group);
    if (there === undefined) byGroup.set(row.group, [row]);
    else there.push(row);
  }
  const last = rows.at(-1)?.group;
  const lines: Line[] = [];
  for (const group of groups) {
    const open = !closed.has(group.key);
    lines.push({ id: `group ${group.key}`, group, open });
    if (open) lines.push(...runLines(byGroup.get(group.key) ?? []));
    if (hasMore && group.key === last) break;
  }
  return lines;
}
