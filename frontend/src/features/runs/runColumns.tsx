import type { ColumnDef, ColumnMeta } from "@tanstack/react-table";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { duration } from "@/components/format";
import { MethodName } from "@/components/MethodMark";
import { NumberCell, Time } from "@/components/Numbers";
import { Progress } from "@/components/Progress";
import { RunState } from "@/components/RunState";
import type { Line } from "./grouping";
import type { RunRow } from "./queries";
import { kindLabel, MOVING } from "./runStates";

const column = (
  id: string,
  header: string,
  size: number,
  meta: ColumnMeta<Line, unknown>,
  cell: (run: RunRow) => ReactNode,
): ColumnDef<Line, unknown> => ({
  id,
  header,
  size,
  meta,
  cell: ({ row }) => (row.original.run === undefined ? null : cell(row.original.run)),
});

export const RUN_COLUMNS: ColumnDef<Line, unknown>[] = [
  column("state", "State", 106, {}, (run) => (
    <RunState state={run.on_hold ? "paused" : run.state} />
  )),
  column("name", "Run", 210, { grow: true }, (run) => (
    <Link to={paths.run(run.id)}>{run.name}</Link>
  )),
  column("tags", "Tags", 110, { drop: 6 }, (run) => (
    <span title={run.tags.join(", ")}>{run.tags.join(", ")}</span>
  )),
  column("kind", "Kind", 100, { drop: 4 }, (run) => kindLabel(run.kind)),
  column("method", "Method", 160, { drop: 1 }, (run) =>
    run.method === null ? "" : <MethodName label={run.method} />,
  ),
  column("seed", "Seed", 64, { numeric: true, drop: 3 }, (run) => run.seed ?? ""),
  column(
    "progress",
    "Progress",
    130,
    { drop: 2 },
    (run) =>
      MOVING.has(run.state) && (
        <Progress
          bare
          label={`Progress of ${run.name}`}
          done={run.progress.done}
          total={run.progress.total}
        />
      ),
  ),
  column("duration", "Time", 92, { numeric: true, drop: 5 }, (run) => (
    <NumberCell>{duration(run.duration_seconds)}</NumberCell>
  )),
  column("created", "Created", 112, { drop: 7 }, (run) => <Time at={run.created_at} />),
];
