import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import { paths } from "@/app/paths";
import { CopyText } from "@/components/CopyText";
import { duration, shortId } from "@/components/format";
import { MethodName } from "@/components/MethodMark";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Progress } from "@/components/Progress";
import { isActive, RunState } from "@/components/RunState";
import { LogPanel } from "./LogPanel";
import { type Run, runOptions, useRunAction } from "./queries";
import { RunAlarm } from "./RunAlarm";
import { RunFailure } from "./RunFailure";
import { RunFigures } from "./RunFigures";
import classes from "./RunPage.module.css";
import { Attempts, Configuration, Files, History, Lineage, Results } from "./RunPanels";

const ENDED = new Set(["succeeded", "failed", "cancelled"]);

/** Everything about one run; a failed one shows its plain cause first. */
export function RunPage() {
  const { runId = "" } = useParams();
  const run = useQuery({
    ...runOptions(runId),
    // Between two events the ETA goes on counting down.
    refetchInterval: (query) =>
      query.state.data && !ENDED.has(query.state.data.state) ? 5_000 : false,
  });
  if (run.isPending) return <PanelSkeleton rows={10} />;
  if (run.isError)
    return <PanelError title="Run" error={run.error} onRetry={() => void run.refetch()} />;
  return <Loaded run={run.data} />;
}

function Loaded({ run }: { run: Run }) {
  const live = isActive(run.state);
  const [experiment] = run.experiments;
  return (
    <>
      <PageHeader
        title={run.name}
        parent={
          experiment === undefined
            ? { label: "Runs", to: paths.runs }
            : { label: "Experiment", to: paths.experiment(experiment) }
        }
        beside={<RunState state={run.state} />}
        facts={
          <span className={classes.facts}>
            {run.method !== null && <MethodName label={run.method} equation />}
            {run.seed !== null && <span>seed {run.seed}</span>}
            <span>{duration(run.duration_seconds)}</span>
            {run.device !== null && <span>{run.device}</span>}
            <CopyText text={run.id} shown={shortId(run.id)} what="Run id" />
          </span>
        }
        actions={<Actions run={run} />}
      />
      {live && (
        <div className={classes.progress}>
          <Progress
            label={`Progress of ${run.name}`}
            done={run.progress.done}
            total={run.progress.total}
            etaSeconds={run.progress.eta_seconds}
            phase={run.progress.phase}
          />
        </div>
      )}
      {run.alarm !== null && <RunAlarm alarm={run.alarm} />}
      {run.error !== null && <RunFailure error={run.error} state={run.state} />}
      <div className={classes.columns}>
        <div className={classes.main}>
          {run.results.length > 0 && <Results run={run} />}
          {run.kind === "train" || run.kind === "pretrain" ? <RunFigures run={run} /> : null}
          <LogPanel runId={run.id} live={live} failed={run.state === "failed"} />
        </div>
        <aside className={classes.side} aria-label="About this run">
          <Lineage run={run} />
          <Attempts run={run} />
          <Configuration run={run} />
          <Files run={run} />
          <History run={run} />
        </aside>
      </div>
    </>
  );
}

function Actions({ run }: { run: Run }) {
  const cancel = useRunAction("cancel");
  const retry = useRunAction("retry");
  if (run.state === "failed" || run.state === "cancelled")
    return (
      <Button onClick={() => retry.mutate([run.id])} loading={retry.isPending}>
        Retry run
      </Button>
    );
  if (run.state === "succeeded") {
    const [experiment] = run.experiments;
    if (["sample", "evaluate", "import-cots"].includes(run.kind))
      return (
        <Button
          variant="default"
          component={Link}
          to={
            experiment === undefined
              ? paths.cotSet(run.id)
              : paths.cotsOf(experiment, { set: run.id })
          }
        >
          Look at the COTs
        </Button>
      );
    return null;
  }
  return (
    <Button
      variant="default"
      onClick={() => cancel.mutate([run.id])}
      loading={cancel.isPending}
      disabled={run.state === "cancelling"}
    >
      Cancel run
    </Button>
  );
}
