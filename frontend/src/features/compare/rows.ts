import type { Sort } from "./compareState";
import type { MethodRow, Statistic } from "./queries";

export interface MetricColumn {
  metric: string;
  title: string;
  /** Named in a sentence. */
  name: string;
  /** Named in a narrow column. */
  short: string;
  about: string;
  decimals: number;
  scale: number;
  /** What a difference is counted in. */
  unit: string;
}

const METRICS: readonly MetricColumn[] = [
  {
    metric: "task_accuracy",
    title: "Task (%)",
    name: "Task accuracy",
    short: "task",
    about: "Greedy answers on the test split that equal the gold answer.",
    decimals: 1,
    scale: 100,
    unit: "points",
  },
  {
    metric: "assessment_accuracy",
    title: "Assessment (%)",
    name: "Assessment accuracy",
    short: "assessment",
    about:
      "Pairs of a fresh right and a fresh wrong COT in which the right one scores higher; all pairs.",
    decimals: 1,
    scale: 100,
    unit: "points",
  },
  {
    metric: "assessment_accuracy_3x3",
    title: "3x3 (%)",
    name: "Assessment accuracy, 3x3",
    short: "3x3",
    about: "The paper's form: questions with three right and three wrong COTs only.",
    decimals: 1,
    scale: 100,
    unit: "points",
  },
  {
    metric: "perplexity",
    title: "Perplexity",
    name: "Perplexity",
    short: "perplexity",
    about: "Mean of exp(-score) over freshly sampled right COTs.",
    decimals: 2,
    scale: 1,
    unit: "",
  },
];

const RATING_AGREEMENT: MetricColumn = {
  metric: "rating_agreement",
  title: "Ratings (%)",
  name: "Agreement with ratings",
  short: "ratings",
  about: "Pairs of COTs of a ranking set that the model's scores order as the ratings do.",
  decimals: 1,
  scale: 100,
  unit: "points",
};

/**
 * The columns of a comparison: the paper's, and what its ranking set adds. With a task those of its questions alone,
 * which a ranking set has none of.
 */
export const columnsOf = (
  metrics: readonly string[],
  task?: string,
): readonly (MetricColumn & { measure: string })[] =>
  [...METRICS, ...(task === undefined ? [RATING_AGREEMENT] : [])]
    .filter(({ metric }) => metrics.includes(metric))
    .map((one) => ofTask(one, task));

export const columnOf = (metric: string, task?: string): MetricColumn & { measure: string } =>
  ofTask(
    [...METRICS, ...(task === undefined ? [RATING_AGREEMENT] : [])].find(
      (one) => one.metric === metric,
    ) ?? (METRICS[0] as MetricColumn),
    task,
  );

/** `measure` is the metric whatever the task; the server's name of a task's is `task_accuracy/gsm8k`. */
const ofTask = (column: MetricColumn, task: string | undefined) => ({
  ...column,
  measure: column.metric,
  ...(task !== undefined && {
    metric: `${column.metric}/${task}`,
    name: `${column.name}, ${task} questions`,
    about: `${column.about} Only ${task} questions are counted.`,
  }),
});

/** The task asked for, where the comparison has it. */
export const taskOf = (
  tasks: readonly string[],
  { task }: { task: string | undefined },
): string | undefined => tasks.find((one) => one === task);

interface View {
  sort: Sort | undefined;
  /** The metric whose differences and p-values are shown. */
  metric: string;
  pinned: readonly string[];
  hidden: readonly string[];
}

/** The rows to show: pinned ones first, each part in the chosen order; what was not measured comes last. */
export function visibleRows(
  rows: readonly MethodRow[],
  { sort, metric, pinned, hidden }: View,
): MethodRow[] {
  const shown = rows.filter((row) => !hidden.includes(row.method));
  const ordered = sort === undefined ? shown : [...shown].sort(comparing(sort, metric));
  const isPinned = (row: MethodRow) => pinned.includes(row.method);
  return [...ordered.filter(isPinned), ...ordered.filter((row) => !isPinned(row))];
}

function comparing({ column, descending }: Sort, metric: string) {
  const sign = descending ? -1 : 1;
  return (one: MethodRow, other: MethodRow): number => {
    if (column === "method") return sign * one.method.localeCompare(other.method);
    const [a, b] = [sortValue(one, column, metric), sortValue(other, column, metric)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return sign * (a - b);
  };
}

function sortValue(row: MethodRow, column: string, metric: string): number | null {
  const tested = row.statistics[metric];
  // The baseline differs from itself by nothing: it stands between what is better and what is worse.
  if (column === "difference") return row.is_baseline ? 0 : (tested?.difference ?? null);
  if (column === "p") return tested?.p_holm ?? null;
  return row.statistics[column]?.mean ?? null;
}

/** A verdict in words, short enough for its column: *within noise*, or *lower* and *higher* beyond it. */
export function verdictWords(statistic: Statistic | undefined): string {
  if (statistic === undefined || statistic.difference === null) return "";
  return statistic.verdict ?? "not tested";
}
