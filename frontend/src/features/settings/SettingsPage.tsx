import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Schema } from "@/api/client";
import { useLiveStatus } from "@/api/live";
import { systemOptions } from "@/app/activeRuns";
import { CopyText } from "@/components/CopyText";
import { Facts } from "@/components/Facts";
import { bytes } from "@/components/format";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Words } from "@/components/Words";
import { JudgesPanel } from "./judges/JudgesPanel";
import classes from "./SettingsPage.module.css";
import { WorkersPanel } from "./WorkersPanel";

/** The machine: who computes, where things lie, which version this is. */
export function SettingsPage() {
  const system = useQuery(systemOptions());
  return (
    <>
      <PageHeader title="Settings" />
      <div className={classes.stack}>
        {system.isPending && (
          <>
            <PanelSkeleton title="Workers" rows={2} />
            <PanelSkeleton title="Server" height={160} />
          </>
        )}
        {system.isError && (
          <PanelError error={system.error} onRetry={() => void system.refetch()} />
        )}
        {system.data !== undefined && <Loaded system={system.data} />}
      </div>
    </>
  );
}

const LIVE_WORDS = {
  live: "live",
  connecting: "connecting…",
  polling: "every 5 s (the live stream cannot be opened)",
} as const;

function Loaded({ system }: { system: Schema<"SystemRead"> }) {
  const live = useLiveStatus();
  return (
    <>
      {system.warnings.map(({ level, title, remedy }) => (
        <Notice key={title} level={level} title={title}>
          <Words>{remedy}</Words>
        </Notice>
      ))}
      <WorkersPanel workers={system.workers} />
      <JudgesPanel />
      <div className={classes.columns}>
        <Panel title="Server">
          <Facts
            items={[
              ["Version", system.version],
              ["Database", DATABASES[system.database] ?? system.database],
              ["Broker", BROKERS[system.broker] ?? system.broker],
              ["Updates", LIVE_WORDS[live]],
            ]}
          />
        </Panel>
        <Panel title="Storage">
          <Facts items={storageFacts(system)} />
        </Panel>
      </div>
    </>
  );
}

const DATABASES: Record<string, string> = { sqlite: "SQLite", postgresql: "PostgreSQL" };
const BROKERS: Record<string, string> = { filesystem: "file system", redis: "Redis" };

const storageFacts = (system: Schema<"SystemRead">): [string, ReactNode][] => [
  ["Data directory", <CopyText key="path" text={system.data_dir} what="path" />],
  ["Free on its disk", bytes(system.disk_free_bytes)],
  [
    "Change it",
    <span key="change">
      set <code>AFT_DATA_DIR</code> before <code>aft up</code>
    </span>,
  ],
];
