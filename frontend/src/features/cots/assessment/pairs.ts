import type { Candidate } from "../queries";

export type Scored = Pick<Candidate, "id" | "verdict" | "scores">;

export interface PairCell {
  rightId: number;
  wrongId: number;
  /** score(right) − score(wrong), nats/token. */
  difference: number;
  /** The wrong one is at least as likely: a tie counts as violated (Eq. 3 is strict). */
  violated: boolean;
}

/** What a pair is called in an address. */
export const pairKey = (cell: Pick<PairCell, "rightId" | "wrongId">): string =>
  `${cell.rightId}-${cell.wrongId}`;

export interface PairGrid {
  rights: { id: number; score: number }[];
  wrongs: { id: number; score: number }[];
  /** One row for each right COT. */
  rows: PairCell[][];
  n: number;
  nViolated: number;
  /** COTs without a score under the model. */
  nUnscored: number;
}

/** Right COTs, least likely first, against all others, most likely first: what is worst stands top left. */
export function pairGrid(candidates: readonly Scored[], model: string): PairGrid {
  const scored = candidates.flatMap((one) => {
    const found = one.scores.find((score) => score.model_run_id === model);
    return found === undefined
      ? []
      : [{ id: one.id, score: found.score, right: one.verdict === "right" }];
  });
  const rights = scored.filter((one) => one.right).sort((a, b) => a.score - b.score);
  const wrongs = scored.filter((one) => !one.right).sort((a, b) => b.score - a.score);
  const rows = rights.map((right) =>
    wrongs.map((wrong) => ({
      rightId: right.id,
      wrongId: wrong.id,
      difference: right.score - wrong.score,
      violated: right.score <= wrong.score,
    })),
  );
  const cells = rows.flat();
  return {
    rights,
    wrongs,
    rows,
    n: cells.length,
    nViolated: cells.filter((cell) => cell.violated).length,
    nUnscored: candidates.length - scored.length,
  };
}

export interface PairChange {
  /** Violated under the first model and not under the second. */
  repaired: number;
  broken: number;
}

/** What changed from one model to another, over the pairs that both scored. */
export function pairChange(before: PairGrid, after: PairGrid): PairChange {
  const then = new Map(before.rows.flat().map((cell) => [pairKey(cell), cell.violated]));
  const change = { repaired: 0, broken: 0 };
  for (const cell of after.rows.flat()) {
    const was = then.get(pairKey(cell));
    if (was === true && !cell.violated) change.repaired += 1;
    if (was === false && cell.violated) change.broken += 1;
  }
  return change;
}

/** A COT's letter within its question: A to Z, then AA, AB, … */
export function letterOf(index: number): string {
  const last = String.fromCharCode(65 + (index % 26));
  return index < 26 ? last : letterOf(Math.floor(index / 26) - 1) + last;
}
