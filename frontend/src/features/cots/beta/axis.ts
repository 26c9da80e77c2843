import type { BetaCandidate } from "./queries";

export const BETA_MIN = -0.8;
export const BETA_MAX = 0.8;
export const DEFAULT_BETA = 0.15;

/** A β from the URL or a field; undefined for what is no number between −5 and 5. */
export function readBeta(text: string | null): number | undefined {
  if (text === null || text.trim() === "") return undefined;
  const value = Number(text);
  return Number.isFinite(value) && Math.abs(value) <= 5 ? value : undefined;
}

export interface Axis {
  low: number;
  high: number;
  /** Percent from the left. */
  at: (score: number) => number;
}

/** An axis that holds all scores and, for the whole range of β, every boundary near them. */
export function scoreAxis(candidates: readonly BetaCandidate[], beta: number): Axis {
  const values = candidates.flatMap((one) => [
    one.score,
    ...(one.lowest_better === null ? [] : [one.lowest_better - beta]),
  ]);
  const least = Math.min(...values);
  const most = Math.max(...values);
  const room = Math.max(0.05, (most - least) * 0.08);
  const [low, high] = [least - room, most + room];
  return { low, high, at: (score) => (100 * (score - low)) / (high - low) };
}

/** The boundaries of a question: one level for each distinct s_j*. */
export function boundaries(candidates: readonly BetaCandidate[], beta: number): number[] {
  const levels = candidates.flatMap((one) =>
    one.lowest_better === null ? [] : [one.lowest_better - beta],
  );
  return [...new Set(levels)].sort((a, b) => a - b);
}

/** Whether a COT lies under its boundary. */
export const isUnder = (one: BetaCandidate, beta: number): boolean =>
  one.lowest_better !== null && one.score <= one.lowest_better - beta;
