import type { Mode, QueueCreate } from "../queries";

export type Strategy = NonNullable<QueueCreate["source"]["strategy"]>;

/** What the form holds; numbers as they are typed. */
export interface QueueForm {
  name: string;
  runId: string;
  strategy: Strategy;
  n: number | string;
  modelRunId: string;
  mode: Mode;
  perItem: number | string;
  reviews: number | string;
  isBlind: boolean;
  showsReference: boolean;
  reviewerIds: string[];
  goldItems: number | string;
  goldRater: string;
  guidelines: string;
  seed: number | string;
}

export const STRATEGIES: Record<Strategy, { label: string; about: string }> = {
  random: { label: "Random sample", about: "Questions drawn at random, for unbiased agreement." },
  "violated-pair": {
    label: "Most violated pair",
    about: "Where a model scores a wrong COT furthest above a right one.",
  },
  uncertainty: {
    label: "Uncertainty",
    about: "Where a model's scores of a right and a wrong COT are closest.",
  },
  "judge-against-people": {
    label: "Judge against people",
    about: "Where a judge's rating and a person's differ most.",
  },
  selection: { label: "Selection", about: "The COTs chosen on another page." },
};

export const SIZES: Record<Mode, number> = { verify: 1, rate: 4, rank: 4, pair: 2 };

export const needsModel = (strategy: Strategy): boolean =>
  strategy === "violated-pair" || strategy === "uncertainty";

export const emptyForm: QueueForm = {
  name: "",
  runId: "",
  strategy: "random",
  n: 100,
  modelRunId: "",
  mode: "rank",
  perItem: SIZES.rank,
  reviews: 2,
  isBlind: true,
  showsReference: false,
  reviewerIds: [],
  goldItems: 0,
  goldRater: "",
  guidelines: "",
  seed: 1,
};

/** The queue that the form describes; null while a number is missing. */
export function toQueue(form: QueueForm, selection: readonly number[]): QueueCreate | null {
  const numbers = [form.n, form.perItem, form.reviews, form.goldItems, form.seed].map(Number);
  const [n, perItem, reviews, goldItems, seed] = numbers;
  if (
    form.runId === "" ||
    numbers.some((value) => !Number.isInteger(value)) ||
    n === undefined ||
    perItem === undefined ||
    reviews === undefined ||
    goldItems === undefined ||
    seed === undefined ||
    [form.n, form.perItem, form.reviews].includes("")
  )
    return null;
  if (needsModel(form.strategy) && form.modelRunId === "") return null;
  return {
    name: form.name.trim() || `${STRATEGIES[form.strategy].label}, ${form.mode}`,
    source: {
      run_id: form.runId,
      strategy: form.strategy,
      n,
      model_run_id: needsModel(form.strategy) ? form.modelRunId : null,
      judge: null,
      verdict: null,
      candidate_ids: form.strategy === "selection" ? [...selection] : [],
      example_ids: [],
    },
    mode: form.mode,
    candidates_per_item: form.mode === "pair" ? 2 : perItem,
    guidelines: form.guidelines,
    is_blind: form.isBlind,
    shows_reference: form.showsReference || !form.isBlind,
    reviews_per_item: reviews,
    reviewer_ids: form.reviewerIds,
    gold_items: goldItems,
    gold_rater: form.goldRater.trim() === "" ? null : form.goldRater.trim(),
    seed,
  };
}
