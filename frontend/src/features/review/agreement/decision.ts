import type { Mode } from "../queries";
import type { Decide, Disagreement } from "./queries";

/** What is typed or chosen for each COT, by candidate id. */
export type Typed = Readonly<Record<string, string>>;

/**
 * A decision as the server takes it, or why it is none yet.
 *
 * verify: 1, 0 or 0.5. rate: points from 1 to 10. rank and pair: places from 1, equal ones tied.
 */
export function toDecide(
  mode: Mode,
  item: Pick<Disagreement, "cots">,
  typed: Typed,
  note: string,
  submissionId: string,
): Decide | string {
  const ids = item.cots.map((cot) => cot.candidate_id);
  const values = ids.map((id) => Number((typed[id] ?? "").replace(",", ".")));
  const missing = ids.filter((id) => (typed[id] ?? "").trim() === "").length;
  if (missing > 0) return missing === ids.length ? "" : `${missing} of the COTs have no value yet.`;
  const body = { submission_id: submissionId, note, tiers: [], values: {} };
  if (mode === "rank" || mode === "pair") {
    if (values.some((place) => !Number.isInteger(place) || place < 1 || place > ids.length))
      return `Places are whole numbers from 1 to ${ids.length}; equal ones are tied.`;
    const places = [...new Set(values)].sort((a, b) => a - b);
    return {
      ...body,
      tiers: places.map((place) => ids.filter((_, index) => values[index] === place)),
    };
  }
  if (mode === "rate" && values.some((value) => !(value >= 1 && value <= 10)))
    return "Points are from 1 to 10.";
  return { ...body, values: Object.fromEntries(ids.map((id, index) => [id, values[index] ?? 0])) };
}

/** A value in the mode's words: what a rater said, or what was decided. */
export function valueWords(mode: Mode, value: number, nCots: number): string {
  if (mode === "verify") {
    if (value === 1) return "right";
    if (value === 0) return "wrong";
    return value === 0.5 ? "unsure" : value.toFixed(2);
  }
  if (mode === "rate") return Number.isInteger(value) ? `${value}` : value.toFixed(1);
  if (mode === "pair") return value === 1 ? "better" : value === 0 ? "worse" : "tie";
  // The share of the others beaten, as a place: 1 beats all.
  const place = 1 + (1 - value) * (nCots - 1);
  return Number.isInteger(place) ? `place ${place}` : `place ${place.toFixed(1)} =`;
}
