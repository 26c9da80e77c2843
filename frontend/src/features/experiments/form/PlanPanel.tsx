import { Tabs } from "@mantine/core";
import { useState } from "react";
import { BlockSelect } from "@/components/BlockSelect";
import { CopyText } from "@/components/CopyText";
import { Facts } from "@/components/Facts";
import { bytes, counted, eta } from "@/components/format";
import { Notice } from "@/components/Notice";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { ofBlock } from "../graph/blocks";
import { PlanGraph } from "../graph/PlanGraph";
import type { Plan } from "../queries";
import classes from "./NewExperimentPage.module.css";

interface Props {
  plan: Plan | undefined;
  error: unknown;
  waiting: boolean;
}

/** What would run, before anything starts: runs, estimates, warnings, and the same as YAML. */
export function PlanPanel({ plan, error, waiting }: Props) {
  const [chosen, setChosen] = useState<string>();
  if (plan === undefined)
    return error === null || error === undefined ? (
      <PanelSkeleton title="Plan" rows={8} />
    ) : (
      <PanelError title="Plan" error={error} />
    );
  const block = chosen ?? plan.blocks[0]?.key;
  const facts: (readonly [string, string])[] = [
    ["New runs", counted(plan.runs_new, "run")],
    ["Taken over", counted(plan.runs_reused, "finished or active run")],
    ["Time", eta(plan.estimate_seconds)],
    ["Disk", bytes(plan.estimate_disk_bytes)],
    ["Memory a run", bytes(plan.estimate_memory_bytes)],
  ];
  return (
    <>
      <Panel title="Plan" note={waiting ? "updating" : undefined}>
        {error !== null && error !== undefined && <PanelError error={error} />}
        <Tabs defaultValue="plan">
          <Tabs.List>
            <Tabs.Tab value="plan">Plan</Tabs.Tab>
            <Tabs.Tab value="yaml">YAML</Tabs.Tab>
            <Tabs.Tab value="command">Command</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="plan" pt="md">
            <div className={classes.estimates}>
              <Facts items={facts} />
            </div>
            <div className={classes.graph}>
              <BlockSelect blocks={plan.blocks} value={block} onChange={setChosen} />
              <PlanGraph
                label="Plan of the experiment"
                room="plan"
                nodes={ofBlock(plan.nodes, block).map((node) => ({
                  ...node,
                  reused: node.reused_run_id !== null,
                  state: node.reused_state,
                  runId: node.reused_run_id,
                }))}
              />
            </div>
          </Tabs.Panel>
          <Tabs.Panel value="yaml" pt="md">
            <CopyText text={plan.yaml} shown="Copy the YAML" what="YAML" />
            <pre className={classes.yaml}>{plan.yaml}</pre>
          </Tabs.Panel>
          <Tabs.Panel value="command" pt="md">
            <CopyText text={plan.command} what="Command" />
          </Tabs.Panel>
        </Tabs>
      </Panel>
      <div className={classes.warnings}>
        {plan.warnings.map((warning) => (
          <Notice key={warning.message} level={warning.level} title={warning.message}>
            {warning.remedy}
          </Notice>
        ))}
      </div>
    </>
  );
}
