import { useQuery } from "@tanstack/react-query";
import { difference, meanSpread, NOT_MEASURED, pValue } from "@/components/format";
import { MethodName } from "@/components/MethodMark";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import classes from "./ComparePage.module.css";
import type { CompareState } from "./compareState";
import { ExperimentFigure } from "./ExperimentFigure";
import { type Overview, overviewOptions } from "./queries";
import { columnOf, type MetricColumn } from "./rows";

interface Props {
  experimentId: string;
  state: CompareState;
  onChange: (change: Partial<CompareState>) => void;
}

type Row = Overview["rows"][number];
type Cell = Row["cells"][string];

/** Methods × data sets and models by one metric; a column's head shows its comparison below. */
export function OverviewPanel({ experimentId, state, onChange }: Props) {
  const overview = useQuery(overviewOptions(experimentId, state));
  const column = columnOf(state.metric);
  const title = `${column.name} over data sets and models`;
  if (overview.isPending) return <PanelSkeleton title={title} rows={6} />;
  if (overview.isError)
    return (
      <PanelError title={title} error={overview.error} onRetry={() => void overview.refetch()} />
    );
  const { blocks, rows, note } = overview.data;
  const here = state.block ?? blocks[0]?.key;
  const shown = rows.filter((row) => !state.hidden.includes(row.method));
  return (
    <>
      <Panel
        title={title}
        note={`${column.scale === 100 ? "%, " : ""}mean ± standard deviation over seeds`}
        flush
      >
        <section className={classes.scroller} aria-label={title}>
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">Method</th>
                {blocks.map((block) => (
                  <th
                    key={block.key}
                    scope="col"
                    className={classes.block}
                    aria-current={block.key === here}
                  >
                    <button
                      type="button"
                      className={classes.sort}
                      aria-label={block.title}
                      onClick={() => onChange({ block: block.key, case: undefined })}
                    >
                      <span>
                        {block.short.split(" · ").map((line) => (
                          <span key={line} className={classes.under}>
                            {line}
                          </span>
                        ))}
                      </span>
                    </button>
                  </th>
                ))}
                <th scope="col">Over all{column.unit === "" ? "" : ` (${column.unit})`}</th>
                <th scope="col" className={classes.words}>
                  In words
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((row) => (
                <tr
                  key={row.method}
                  data-baseline={row.is_baseline}
                  data-selected={state.selected.includes(row.method)}
                >
                  <th scope="row">
                    <MethodName
                      label={row.method}
                      family={row.family}
                      constraint={row.constraint}
                      equation
                    />
                  </th>
                  {blocks.map((block) => (
                    <td key={block.key}>
                      <Mean cell={row.cells[block.key]} column={column} />
                    </td>
                  ))}
                  <td>
                    <OverAll over={row.over} column={column} />
                  </td>
                  <td className={classes.words}>{row.words}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        <ul className={classes.notes}>
          <li>{note}</li>
        </ul>
      </Panel>
      <div className={classes.figures}>
        <ExperimentFigure
          name="blocks"
          title="Task accuracy over data sets and models"
          {...{ experimentId, state, onChange }}
        />
        <ExperimentFigure
          name="models"
          title="Over models: task against assessment accuracy"
          {...{ experimentId, state, onChange }}
        />
      </div>
    </>
  );
}

function OverAll({ over, column }: { over: Row["over"]; column: MetricColumn }) {
  if (over === null) return null;
  const { scale, decimals } = column;
  const [low, high] = [over.low, over.high].map((end) => difference(end * scale, decimals));
  return (
    <>
      {difference(over.difference * scale, decimals)}
      <span className={classes.lacking}>
        {low} to {high}
      </span>
      <span className={classes.lacking}>
        p {pValue(over.p)}, n {over.n}
      </span>
    </>
  );
}

function Mean({ cell, column }: { cell: Cell | undefined; column: MetricColumn }) {
  const { scale, decimals } = column;
  const words = [cell?.verdict, ...(cell?.missing ?? [])].filter(Boolean).join("; ");
  return (
    <>
      {cell === undefined || cell.mean === null
        ? NOT_MEASURED
        : meanSpread(cell.mean, cell.std, decimals, scale)}
      {words !== "" && <span className={classes.lacking}>{words}</span>}
    </>
  );
}
