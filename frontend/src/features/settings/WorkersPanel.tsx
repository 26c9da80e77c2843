import { createColumnHelper } from "@tanstack/react-table";
import { Link } from "react-router";
import type { Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { CopyText } from "@/components/CopyText";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { NOT_MEASURED } from "@/components/format";
import { Icon } from "@/components/Icon";
import { Time } from "@/components/Numbers";
import { Panel } from "@/components/Panel";
import classes from "./SettingsPage.module.css";

type Worker = Schema<"WorkerRead">;
const column = createColumnHelper<Worker>();

const COLUMNS = [
  column.accessor("alive", {
    header: "State",
    size: 116,
    cell: ({ getValue }) => (
      <span className={classes.beat} data-alive={getValue()}>
        <Icon name={getValue() ? "check" : "cross"} size={14} />
        {getValue() ? "alive" : "gone"}
      </span>
    ),
  }),
  column.accessor((worker) => `${worker.hostname} · ${worker.slot}`, {
    id: "slot",
    header: "Host and slot",
    size: 200,
  }),
  column.accessor("device", { header: "Device", size: 140 }),
  column.accessor("run_name", {
    header: "Run",
    size: 200,
    meta: { grow: true },
    cell: ({ row }) => {
      const { run_id, run_name } = row.original;
      if (run_id === null) return NOT_MEASURED;
      return <Link to={paths.run(run_id)}>{run_name ?? run_id}</Link>;
    },
  }),
  column.accessor("pid", { header: "Process", size: 96, meta: { numeric: true } }),
  column.accessor("heartbeat_at", {
    header: "Heartbeat",
    size: 120,
    cell: ({ getValue }) => <Time at={getValue()} relative />,
  }),
  column.accessor("started_at", {
    header: "Started",
    size: 156,
    cell: ({ getValue }) => <Time at={getValue()} />,
  }),
];

/** Who computes: each worker slot with its device, its run and its last sign of life. */
export function WorkersPanel({ workers }: { workers: Worker[] }) {
  const alive = workers.filter((worker) => worker.alive).length;
  return (
    <Panel title="Workers" note={workers.length === 0 ? undefined : `${alive} alive`} flush>
      <DataTable
        label="Workers"
        columns={COLUMNS}
        rows={workers}
        rowId={(worker) => worker.owner}
        maxHeight={400}
        empty={
          <EmptyState
            icon="worker"
            title="No worker has reported today"
            action={<CopyText text="aft worker" what="command" />}
          >
            Runs wait until a worker takes them. <code>aft up</code> starts one together with the
            server; this command starts one alone, also on another machine.
          </EmptyState>
        }
      />
    </Panel>
  );
}
