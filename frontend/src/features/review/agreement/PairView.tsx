import { useQuery } from "@tanstack/react-query";
import { Figure } from "@/components/Figure";
import { count } from "@/components/format";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import classes from "./Agreement.module.css";
import { type ConfusionTable, confusionOptions, type PairKeys, pairFigureOptions } from "./queries";

/** Two raters, COT by COT: how often one says what where the other says what, and as a picture. */
export function PairView({ queueId, pair }: { queueId: string; pair: PairKeys }) {
  const confusion = useQuery(confusionOptions(queueId, pair));
  const figure = useQuery(pairFigureOptions(queueId, pair));
  return (
    <div className={classes.two}>
      {confusion.isPending ? (
        <PanelSkeleton title="Confusion" height={360} />
      ) : confusion.isError ? (
        <PanelError title="Confusion" error={confusion.error} />
      ) : (
        <Confusion table={confusion.data} />
      )}
      {figure.isPending ? (
        <PanelSkeleton title="COT by COT" height={360} />
      ) : figure.isError ? (
        <PanelError title="COT by COT" error={figure.error} />
      ) : (
        <Figure figure={figure.data} height={336} />
      )}
    </div>
  );
}

function Confusion({ table }: { table: ConfusionTable }) {
  const most = Math.max(1, ...table.counts.flat());
  return (
    <Panel title="Confusion" note={`rows ${table.one.name}, columns ${table.other.name}`}>
      <div className={classes.scroller}>
        <table className={classes.matrix} data-counts="true">
          <caption className="visually-hidden">
            COTs by what {table.one.name} says (rows) and {table.other.name} says (columns)
          </caption>
          <thead>
            <tr>
              <td />
              {table.columns.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.counts.map((row, index) => (
              <tr key={table.rows[index]}>
                <th scope="row">{table.rows[index]}</th>
                {row.map((n, column) => (
                  <td
                    key={table.columns[column]}
                    data-equal={table.rows[index] === table.columns[column]}
                    data-none={n === 0}
                    style={{
                      background: `color-mix(in srgb, var(--aft-accent) ${Math.round((n / most) * 36)}%, transparent)`,
                    }}
                  >
                    {n === 0 ? "·" : count(n)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
