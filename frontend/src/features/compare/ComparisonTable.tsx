import { Tooltip } from "@mantine/core";
import { useMemo } from "react";
import { paths } from "@/app/paths";
import { difference, pValue } from "@/components/format";
import { MethodName } from "@/components/MethodMark";
import { MeanCell, NumberCell } from "@/components/Numbers";
import classes from "./ComparePage.module.css";
import { bestBeyondNoise } from "./noise";
import type { Comparison, MethodRow } from "./queries";

interface Column {
  metric: string;
  title: string;
  about: string;
  decimals: number;
  scale: number;
}

const COLUMNS: Column[] = [
  {
    metric: "task_accuracy",
    title: "Task accuracy (%)",
    about: "Greedy answers on the test split that equal the gold answer.",
    decimals: 1,
    scale: 100,
  },
  {
    metric: "assessment_accuracy",
    title: "Assessment accuracy (%)",
    about:
      "Pairs of a fresh right and a fresh wrong COT in which the right one scores higher; all pairs.",
    decimals: 1,
    scale: 100,
  },
  {
    metric: "assessment_accuracy_3x3",
    title: "… 3x3 (%)",
    about: "The paper's form: questions with three right and three wrong COTs only.",
    decimals: 1,
    scale: 100,
  },
  {
    metric: "perplexity",
    title: "Perplexity",
    about: "Mean of exp(-score) over freshly sampled right COTs.",
    decimals: 2,
    scale: 1,
  },
];

/** Methods as rows: mean ± standard deviation, seeds, difference to the baseline, p. */
export function ComparisonTable({ comparison }: { comparison: Comparison }) {
  const best = useMemo(
    () => new Map(COLUMNS.map(({ metric }) => [metric, bestBeyondNoise(comparison.rows, metric)])),
    [comparison],
  );
  return (
    <section className={classes.scroller} aria-label="Comparison of methods">
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Method</th>
            <th scope="col">n</th>
            {COLUMNS.map((column) => (
              <th scope="col" key={column.metric}>
                <Tooltip label={column.about} maw={320}>
                  <span>{column.title}</span>
                </Tooltip>
              </th>
            ))}
            <th scope="col">Task − {comparison.baseline ?? "baseline"} (points)</th>
            <th scope="col">p</th>
            <th scope="col">Missing</th>
          </tr>
        </thead>
        <tbody>
          {comparison.rows.map((row) => (
            <Row key={row.method} row={row} best={best} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ row, best }: { row: MethodRow; best: Map<string, ReadonlySet<string>> }) {
  const task = row.statistics.task_accuracy;
  const run = Object.values(row.run_ids).find((one) => one.evaluate !== undefined)?.evaluate;
  const low = task?.difference_low ?? null;
  const high = task?.difference_high ?? null;
  return (
    <tr data-baseline={row.is_baseline}>
      <th scope="row">
        <MethodName label={row.method} family={row.family} constraint={row.constraint} equation />
      </th>
      <td>{task?.n ?? 0}</td>
      {COLUMNS.map((column) => {
        const statistic = row.statistics[column.metric];
        return (
          <td key={column.metric}>
            <MeanCell
              mean={statistic?.mean ?? null}
              std={statistic?.std ?? null}
              n={statistic?.n ?? 0}
              decimals={column.decimals}
              scale={column.scale}
              strong={best.get(column.metric)?.has(row.method) ?? false}
              to={
                column.metric === "task_accuracy" && run !== undefined ? paths.run(run) : undefined
              }
            />
          </td>
        );
      })}
      <td>
        {row.is_baseline ? (
          "baseline"
        ) : (
          <NumberCell
            about={
              low === null || high === null
                ? "Paired over seeds; an interval needs two."
                : `95 % interval ${difference(100 * low)} to ${difference(100 * high)}, paired over seeds.`
            }
          >
            {difference(
              task?.difference === null || task?.difference === undefined
                ? null
                : 100 * task.difference,
            )}
          </NumberCell>
        )}
      </td>
      <td>{row.is_baseline ? "" : <NumberCell>{pValue(task?.p_value ?? null)}</NumberCell>}</td>
      <td className={classes.missing}>{row.missing.join(", ")}</td>
    </tr>
  );
}
