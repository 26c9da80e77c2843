import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useNavigate } from "react-router";
import { paths } from "@/app/paths";
import { Figure, type FigurePoint } from "@/components/Figure";
import { figureHeight } from "@/components/figureHeight";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { type CompareState, toggled } from "./compareState";
import { emphasised, pointTarget } from "./emphasis";
import { type FigureName, figureFile, figureOptions } from "./queries";

interface Props {
  experimentId: string;
  name: FigureName;
  title: string;
  state: CompareState;
  onChange: (change: Partial<CompareState>) => void;
}

const HEIGHT = 384;

/** A figure of the experiment, showing the table's selection; a mean selects its method, a seed's dot opens its run. */
export function ExperimentFigure({ experimentId, name, title, state, onChange }: Props) {
  const navigate = useNavigate();
  const figure = useQuery(figureOptions(experimentId, name, state));
  const shown = useMemo(
    () => figure.data && emphasised(figure.data, state.selected),
    [figure.data, state.selected],
  );
  if (figure.isPending) return <PanelSkeleton title={title} height={HEIGHT} />;
  if (figure.isError || shown === undefined)
    return <PanelError title={title} error={figure.error} onRetry={() => void figure.refetch()} />;
  const open = (point: FigurePoint) => {
    const { method, run } = pointTarget(point);
    if (run !== undefined) navigate(paths.run(run));
    else if (method !== undefined) onChange({ selected: toggled(state.selected, method) });
  };
  return (
    <Figure
      figure={shown}
      height={figureHeight(figure.data.figure, HEIGHT)}
      fileHref={figureFile(experimentId, name, state)}
      onPoint={open}
    />
  );
}
