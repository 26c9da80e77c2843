const NAMES: Record<string, string> = {
  task_accuracy: "Task accuracy",
  assessment_accuracy: "Assessment accuracy (all pairs)",
  assessment_accuracy_3x3: "Assessment accuracy (3x3)",
  perplexity: "Perplexity of right COTs",
  perplexity_negative_median: "Median perplexity of wrong COTs",
  unparsed_rate: "Without a readable answer",
  best_validation_task_accuracy: "Best validation task accuracy",
  truncated_rate: "Cut at the length limit",
};

/** A measure's name in words; `task_accuracy/gsm8k` is of one task's questions in a mixed data set. */
export const humanName = (metric: string): string => {
  const [measure = "", task] = metric.split("/");
  const name = NAMES[measure] ?? measure.replaceAll("_", " ");
  return task === undefined ? name : `${name}, ${task} questions`;
};

/** Nested settings as dotted paths with their values as text, in order. */
export function flatten(
  config: Record<string, unknown>,
  prefix = "",
): [path: string, value: string][] {
  return Object.entries(config).flatMap(([key, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? flatten(value as Record<string, unknown>, `${prefix}${key}.`)
      : [
          [
            `${prefix}${key}`,
            value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value),
          ],
        ],
  );
}
