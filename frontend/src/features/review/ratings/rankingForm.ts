import type { AvailableRater, RankingSetCreate, Source } from "./queries";

type Settings = NonNullable<RankingSetCreate["settings"]>;

/** What the form of a new ranking set holds; numbers as typed. */
export interface RankingForm {
  name: string;
  /** Keys of the raters that count; null until somebody chooses: people and decisions. */
  raters: readonly string[] | null;
  combine: NonNullable<Settings["combine"]>;
  adjudicatedFirst: boolean;
  scale: NonNullable<Settings["scale"]>;
  tolerance: number | string;
  minRatings: number | string;
}

export const emptyRanking: RankingForm = {
  name: "",
  raters: null,
  combine: "mean",
  adjudicatedFirst: true,
  scale: "as-rated",
  tolerance: 0,
  minRatings: 1,
};

export const COMBINE: { value: RankingForm["combine"]; label: string }[] = [
  { value: "mean", label: "Mean" },
  { value: "median", label: "Median" },
  { value: "latest", label: "Latest" },
];

export const SCALES: { value: RankingForm["scale"]; label: string }[] = [
  { value: "as-rated", label: "As rated" },
  { value: "1-10", label: "1 to 10" },
  { value: "0-1", label: "0 to 1" },
];

export const raterKey = ({ source, rater, scale }: AvailableRater): string =>
  `${source} ${scale} ${rater}`;

const COUNTED = new Set(["person", "adjudication"]);

/** The raters that count: those chosen, else people and decisions, else everybody there is. */
export function chosenRaters(
  form: RankingForm,
  raters: readonly AvailableRater[],
): AvailableRater[] {
  if (form.raters !== null) return raters.filter((one) => form.raters?.includes(raterKey(one)));
  const people = raters.filter((one) => COUNTED.has(one.source));
  return people.length > 0 ? people : [...raters];
}

/** The set as the server takes it, or null while nothing counts or a number cannot be read. */
export function toRankingSet(
  form: RankingForm,
  raters: readonly AvailableRater[],
  source: Source,
  otherwise: string,
): RankingSetCreate | null {
  const chosen = chosenRaters(form, raters);
  const [tolerance, minRatings] = [Number(form.tolerance), Number(form.minRatings)];
  if (chosen.length === 0 || !(tolerance >= 0) || !Number.isInteger(minRatings) || minRatings < 1)
    return null;
  return {
    name: form.name.trim() || otherwise.slice(0, 120),
    source,
    settings: {
      sources: [...new Set(chosen.map((one) => one.source))],
      raters: chosen.length === raters.length ? [] : [...new Set(chosen.map((one) => one.rater))],
      combine: form.combine,
      adjudicated_first: form.adjudicatedFirst,
      scale: form.scale,
      tie_tolerance: tolerance,
      min_ratings: minRatings,
    },
  };
}
