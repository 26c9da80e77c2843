import { useQuery } from "@tanstack/react-query";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import classes from "./ComparePage.module.css";
import { ComparisonControls } from "./ComparisonControls";
import { ComparisonTable } from "./ComparisonTable";
import type { CompareState } from "./compareState";
import { ExperimentFigure } from "./ExperimentFigure";
import { comparisonOptions, type FigureName } from "./queries";

const PER_METHOD: { name: FigureName; title: string }[] = [
  { name: "task", title: "Task accuracy per method" },
  { name: "assessment", title: "Assessment accuracy per method" },
  { name: "perplexity", title: "Perplexity per method" },
];

interface Props {
  experimentId: string;
  seeds: readonly number[];
  blocks: readonly { key: string; title: string }[];
  state: CompareState;
  onChange: (change: Partial<CompareState>) => void;
}

/** The table with its controls and notes, and a figure for each metric. */
export function ComparisonPanel({ seeds, blocks, ...shared }: Props) {
  const { experimentId, state, onChange } = shared;
  const comparison = useQuery(comparisonOptions(experimentId, state));
  return (
    <>
      {comparison.isPending ? (
        <PanelSkeleton title="Methods" rows={8} />
      ) : comparison.isError ? (
        <PanelError
          title="Methods"
          error={comparison.error}
          onRetry={() => void comparison.refetch()}
        />
      ) : (
        <Panel
          title="Methods"
          note={seeds.length === 1 ? "one seed" : "mean ± standard deviation over seeds"}
          flush
        >
          <ComparisonControls
            comparison={comparison.data}
            state={state}
            seeds={seeds}
            blocks={blocks}
            onChange={onChange}
          />
          <div aria-busy={comparison.isPlaceholderData} className={classes.fading}>
            <ComparisonTable comparison={comparison.data} {...shared} />
            <ul className={classes.notes}>
              {comparison.data.notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
              {comparison.data.published !== null && (
                <li>
                  ◆ {comparison.data.published.title}: {comparison.data.published_source}. Other
                  models on other data: compare the pattern, not the numbers.
                </li>
              )}
            </ul>
          </div>
        </Panel>
      )}
      <div className={classes.figures}>
        {PER_METHOD.map((figure) => (
          <ExperimentFigure key={figure.name} {...figure} {...shared} />
        ))}
        <ExperimentFigure
          name="scatter"
          title="Task accuracy against assessment accuracy"
          {...shared}
        />
      </div>
    </>
  );
}
