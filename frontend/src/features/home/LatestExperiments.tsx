import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import type { Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { count, eta } from "@/components/format";
import { MethodMark } from "@/components/MethodMark";
import { lookOfLabel } from "@/components/methods";
import { Time } from "@/components/Numbers";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Progress } from "@/components/Progress";
import { RunState, type RunStateName } from "@/components/RunState";
import classes from "./LatestExperiments.module.css";
import { latestOptions } from "./latest";

const TITLE = "Latest comparisons";
const STATES: Record<Schema<"ExperimentSummary">["state"], RunStateName> = {
  running: "running",
  paused: "paused",
  finished: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
};

/** The newest experiments, each with its way to the comparison. */
export function LatestExperiments() {
  const latest = useQuery(latestOptions());
  if (latest.isPending) return <PanelSkeleton title={TITLE} rows={4} />;
  if (latest.isError)
    return <PanelError title={TITLE} error={latest.error} onRetry={() => void latest.refetch()} />;
  return (
    <Panel
      title={TITLE}
      actions={
        <Link to={paths.experiments} className={classes.all}>
          All experiments
        </Link>
      }
      flush
    >
      <ul className={classes.list}>
        {latest.data.items.map((experiment) => (
          <ExperimentLine key={experiment.id} experiment={experiment} />
        ))}
      </ul>
    </Panel>
  );
}

function ExperimentLine({ experiment }: { experiment: Schema<"ExperimentSummary"> }) {
  const { id, name, state, methods, seeds, counts, runs_total, eta_seconds } = experiment;
  return (
    <li className={classes.item}>
      <RunState state={STATES[state]} />
      <div className={classes.words}>
        <Link className={classes.name} to={paths.experiment(id)}>
          {name}
        </Link>
        <span className={classes.about}>
          {experiment.dataset_name} · {experiment.base_model_name} · {seeds.length}{" "}
          {seeds.length === 1 ? "seed" : "seeds"}
        </span>
      </div>
      <span
        className={classes.marks}
        role="img"
        aria-label={`Methods: ${methods.join(", ")}`}
        title={methods.join("\n")}
      >
        {methods.map((method) => (
          <MethodMark key={method} look={lookOfLabel(method)} />
        ))}
      </span>
      <div className={classes.progress}>
        {state === "running" || state === "paused" ? (
          <>
            <Progress bare label={name} done={counts.succeeded} total={runs_total} />
            <span className={classes.about}>
              {count(counts.succeeded)} / {count(runs_total)} runs
              {eta_seconds === null ? "" : ` · ${eta(eta_seconds)}`}
            </span>
          </>
        ) : (
          <span className={classes.about}>
            <Time at={experiment.finished_at ?? experiment.created_at} />
          </span>
        )}
      </div>
      <Link
        className={classes.compare}
        to={paths.comparison(id)}
        aria-label={`Compare the methods of ${name}`}
      >
        Compare
      </Link>
    </li>
  );
}
