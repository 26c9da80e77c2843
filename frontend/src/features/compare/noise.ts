import type { MethodRow } from "./queries";

/** Whether lower is better for a metric. */
const LOWER_IS_BETTER = new Set(["perplexity"]);

/**
 * Methods to mark as best in a metric: the best mean, and every method that cannot be told from it by
 * their seeds' spread (means closer than twice the pooled standard error). With one seed nothing is marked,
 * nor where more than half would be.
 */
export function bestBeyondNoise(rows: readonly MethodRow[], metric: string): ReadonlySet<string> {
  const measured = rows.flatMap((row) => {
    const statistic = row.statistics[metric];
    return statistic?.mean !== null &&
      statistic?.mean !== undefined &&
      statistic.std !== null &&
      statistic.n > 1
      ? [
          {
            method: row.method,
            mean: statistic.mean,
            error: statistic.std / Math.sqrt(statistic.n),
          },
        ]
      : [];
  });
  if (measured.length < 2) return new Set();
  const sign = LOWER_IS_BETTER.has(metric.split("/")[0] ?? metric) ? -1 : 1;
  const best = measured.reduce((one, other) => (sign * other.mean > sign * one.mean ? other : one));
  // Seeds that all agree have no spread to tell two means apart by.
  const among = measured.filter((one) => {
    const error = Math.hypot(best.error, one.error);
    return error === 0 || Math.abs(best.mean - one.mean) <= 2 * error;
  });
  // A mark that most methods carry tells nothing.
  return new Set(
    among.length > measured.length / 2 && among.length > 2 ? [] : among.map((one) => one.method),
  );
}
