import { Button, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { EmptyState } from "@/components/EmptyState";
import { notifyError } from "@/components/notify";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { isActive } from "@/components/RunState";
import { checkpointsOptions, pendingScoresOptions, useScoreSet } from "./inspecting";
import { ScoringRuns } from "./ScoreUnder";
import classes from "./SetFrame.module.css";

interface Props {
  setId: string;
  /** What the scores are needed for. */
  children: ReactNode;
}

/** Why a set has nothing to compare, and the run that changes it: started here, or how far it is. */
export function NoScores({ setId, children }: Props) {
  const checkpoints = useQuery(checkpointsOptions(setId));
  const pending = useQuery(pendingScoresOptions(setId));
  const failed = [checkpoints, pending].find((one) => one.isError);
  if (failed !== undefined)
    return <PanelError error={failed.error} onRetry={() => void failed.refetch()} />;
  if (checkpoints.data === undefined || pending.data === undefined)
    return <PanelSkeleton rows={4} />;
  const names = new Map(checkpoints.data.map((one) => [one.model_run_id, one.model]));
  const running = pending.data.filter((one) => isActive(one.state));
  return (
    <>
      <ScoringRuns setId={setId} />
      {running.length === 0 && (
        <EmptyState
          title="No scores yet"
          action={
            names.size === 0 ? (
              <Button component={Link} to={paths.newExperiment} variant="default">
                New experiment
              </Button>
            ) : (
              <ScoreFirst setId={setId} models={names} />
            )
          }
        >
          {children} No model has scored this set{" "}
          {names.size === 0
            ? "and no finished model is here that could: train one, or import the COTs with their scores (columns like score_base, one for each checkpoint)."
            : "yet. Choose a finished model: a run scores every COT under it, once. Imported COTs can bring their scores along (columns like score_base, one for each checkpoint)."}
        </EmptyState>
      )}
    </>
  );
}

function ScoreFirst({ setId, models }: { setId: string; models: Map<string, string> }) {
  const [chosen, setChosen] = useState<string | null>([...models.keys()][0] ?? null);
  const start = useScoreSet(setId);
  return (
    <div className={classes.start}>
      <Select
        aria-label="Model"
        w={240}
        allowDeselect={false}
        data={[...models].map(([value, label]) => ({ value, label }))}
        value={chosen}
        onChange={setChosen}
      />
      <Button
        loading={start.isPending}
        disabled={chosen === null}
        onClick={() => chosen !== null && start.mutate(chosen, { onError: notifyError })}
      >
        Score the COTs
      </Button>
    </div>
  );
}
