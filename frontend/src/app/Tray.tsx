import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import type { Schema } from "@/api/client";
import { count, eta } from "@/components/format";
import { Icon } from "@/components/Icon";
import { Progress } from "@/components/Progress";
import { RUN_STATES } from "@/components/RunState";
import { activeRunsOptions, systemOptions } from "./activeRuns";
import { paths } from "./paths";
import classes from "./Tray.module.css";

/** What is running, with progress and ETA, on every page. */
export function Tray() {
  const active = useQuery(activeRunsOptions()).data ?? [];
  const system = useQuery(systemOptions()).data;
  const open = system?.counts.active_runs ?? 0;
  const waiting = Math.max(0, open - active.length);
  if (active.length === 0 && waiting === 0) return null;
  const idle = system !== undefined && !system.workers.some((worker) => worker.alive);
  return (
    <section className={classes.tray} aria-label="Active runs">
      <Link className={classes.summary} to={`${paths.runs}?state=active`}>
        {active.length > 0 && <span>{count(active.length)} running</span>}
        {waiting > 0 && <span className={classes.waiting}>{count(waiting)} waiting</span>}
      </Link>
      {idle && (
        <Link className={classes.idle} to={paths.settings}>
          <Icon name="alert" size={14} /> No worker is running
        </Link>
      )}
      <ul className={classes.runs}>
        {active.map((run) => (
          <li key={run.id} className={classes.item}>
            <RunLine run={run} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function RunLine({ run }: { run: Schema<"RunSummary"> }) {
  const { done, total, phase, eta_seconds } = run.progress;
  const share = total === null || total === 0 ? null : Math.floor((100 * done) / total);
  const running = run.state === "running";
  return (
    <Link
      className={classes.run}
      to={paths.run(run.id)}
      title={phase === "" ? run.name : `${run.name}: ${phase}`}
    >
      <span className={classes.name}>{run.name}</span>
      <span className={classes.bar}>
        <Progress bare done={done} total={total} label={run.name} />
      </span>
      <span className={classes.figures}>
        {running && share !== null ? `${share}\u202f%` : RUN_STATES[run.state].word}
        {running && eta_seconds !== null && <span className={classes.eta}>{eta(eta_seconds)}</span>}
      </span>
    </Link>
  );
}
