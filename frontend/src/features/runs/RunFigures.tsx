import { useQuery } from "@tanstack/react-query";
import { Figure } from "@/components/Figure";
import { figureHeight } from "@/components/figureHeight";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { type Run, type RunFigureName, runFigureOptions } from "./queries";

const TITLES: Record<RunFigureName, string> = {
  loss: "Loss and its parts",
  push: "Gradient push on better and worse COTs",
  degradation: "Degradation during training",
};

const HEIGHTS: Record<RunFigureName, number> = { loss: 260, push: 260, degradation: 460 };

/** The curves of a training run; a curve that is not written has no panel. */
export function RunFigures({ run }: { run: Run }) {
  const has = (prefix: string) => run.metric_names.some((name) => name.startsWith(prefix));
  return (
    <>
      <RunFigure runId={run.id} name="loss" />
      {has("validation/") && <RunFigure runId={run.id} name="degradation" />}
      {has("train/push_") && <RunFigure runId={run.id} name="push" />}
    </>
  );
}

function RunFigure({ runId, name }: { runId: string; name: RunFigureName }) {
  const figure = useQuery(runFigureOptions(runId, name));
  if (figure.isPending) return <PanelSkeleton title={TITLES[name]} height={HEIGHTS[name]} />;
  if (figure.isError)
    return (
      <PanelError title={TITLES[name]} error={figure.error} onRetry={() => void figure.refetch()} />
    );
  return (
    <Figure
      figure={figure.data}
      height={figureHeight(figure.data.figure, HEIGHTS[name])}
      fileHref={`/api/v1/runs/${runId}/figures/${name}/file`}
    />
  );
}
