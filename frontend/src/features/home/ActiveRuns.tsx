import { Link } from "react-router";
import type { Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { counted } from "@/components/format";
import { Panel } from "@/components/Panel";
import { Progress } from "@/components/Progress";
import { RunState } from "@/components/RunState";
import classes from "./ActiveRuns.module.css";

interface Props {
  /** Runs that a worker holds. */
  runs: Schema<"RunSummary">[];
  /** Runs that are not finished, held or not. */
  open: number;
}

/** What the workers compute now. */
export function ActiveRuns({ runs, open }: Props) {
  const waiting = Math.max(0, open - runs.length);
  return (
    <Panel
      title="Active runs"
      note={waiting > 0 ? `${counted(waiting, "more run waits", "more runs wait")}` : undefined}
      flush
    >
      {runs.length === 0 ? (
        <p className={classes.none}>
          {waiting > 0 ? "No worker has taken a run yet." : "Nothing is running."}
        </p>
      ) : (
        <ul className={classes.list}>
          {runs.map((run) => (
            <li key={run.id} className={classes.item}>
              <RunState state={run.state} />
              <Link className={classes.name} to={paths.run(run.id)}>
                {run.name}
              </Link>
              <Progress
                label={run.name}
                done={run.progress.done}
                total={run.progress.total}
                etaSeconds={run.progress.eta_seconds}
                phase={run.progress.phase}
              />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
