import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { count, dollars } from "@/components/format";
import { Notice } from "@/components/Notice";
import { Time } from "@/components/Numbers";
import { notifyError } from "@/components/notify";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { Progress } from "@/components/Progress";
import { RunState } from "@/components/RunState";
import classes from "./Judges.module.css";
import {
  isActive,
  type Judge,
  type JudgeRun,
  judgeRunsOptions,
  useJudgeRunAction,
} from "./queries";

/** A judge's rating runs: progress, cost so far, what went wrong; to be cancelled and gone on with. */
export function JudgeRuns({ judge }: { judge: Judge }) {
  const runs = useQuery(judgeRunsOptions(judge.name));
  const act = useJudgeRunAction(judge.name);
  if (runs.isPending) return null;
  if (runs.isError) return <PanelError title="Rating runs" error={runs.error} />;
  if (runs.data.length === 0) return null;
  return (
    <Panel title="Rating runs" flush>
      <ul className={classes.runs}>
        {runs.data.map((run) => (
          <li key={run.run_id}>
            <div className={classes.run}>
              <div>
                <Link to={paths.run(run.run_id)}>
                  <bdi>{run.name}</bdi>
                </Link>{" "}
                {run.queue_id !== null && (
                  <Link to={`${paths.reviewQueue(run.queue_id)}?tab=agreement`}>
                    Compare with people
                  </Link>
                )}
                <div className={classes.dim}>
                  <RunState state={run.state as "running"} /> · {cost(run)} ·{" "}
                  <Time at={run.created_at} relative />
                </div>
              </div>
              <Progress
                done={run.done}
                total={run.total}
                label={`Ratings of ${run.name}`}
                phase={isActive(run) ? run.phase : ""}
                still={!isActive(run)}
              />
              <Button
                size="compact-xs"
                variant="default"
                disabled={run.state === "succeeded" || run.state === "cancelling"}
                loading={act.isPending && act.variables.runId === run.run_id}
                onClick={() =>
                  act.mutate(
                    { runId: run.run_id, action: isActive(run) ? "cancel" : "retry" },
                    { onError: notifyError },
                  )
                }
              >
                {isActive(run) ? "Cancel" : run.state === "succeeded" ? "Done" : "Go on"}
              </Button>
            </div>
            {run.state === "failed" && run.title !== "" && (
              <Notice level="error" title={run.title}>
                <p>{run.problem}</p>
                <p>{run.remedy}</p>
              </Notice>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

const cost = ({ used }: JudgeRun): string => {
  const money = used.usd === null ? "" : `${dollars(used.usd)}, `;
  return `${money}${count(used.requests)} requests`;
};
