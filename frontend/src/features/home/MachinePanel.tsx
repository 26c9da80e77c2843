import { Link } from "react-router";
import type { Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { Facts } from "@/components/Facts";
import { bytes, count } from "@/components/format";
import { Panel } from "@/components/Panel";

/** The machine and what it holds, in a few numbers. */
export function MachinePanel({ system }: { system: Schema<"SystemRead"> }) {
  const alive = system.workers.filter((worker) => worker.alive);
  const busy = alive.filter((worker) => worker.run_id !== null).length;
  const devices = [...new Set(alive.map((worker) => worker.device))].join(", ");
  return (
    <Panel title="This machine">
      <Facts
        items={[
          [
            "Workers",
            <Link key="workers" to={paths.settings}>
              {alive.length === 0 ? "none" : `${busy} of ${alive.length} busy`}
            </Link>,
          ],
          ...(devices === "" ? [] : [["Device", devices] as const]),
          ["Disk free", bytes(system.disk_free_bytes)],
          [
            "Data sets",
            <Link key="datasets" to={paths.datasets}>
              {count(system.counts.datasets)}
            </Link>,
          ],
          [
            "Models",
            <Link key="models" to={paths.models}>
              {count(system.counts.models)}
            </Link>,
          ],
          [
            "Experiments",
            <Link key="experiments" to={paths.experiments}>
              {count(system.counts.experiments)}
            </Link>,
          ],
        ]}
      />
    </Panel>
  );
}
