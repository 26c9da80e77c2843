import type { DatasetRow, Spec } from "../queries";
import {
  CHOICE_PATHS,
  type ChoicePath,
  LIST_PATHS,
  type ListPath,
  NUMBER_PATHS,
  type NumberPath,
  numberText,
} from "./fields";
import { DEFAULT_BOUNDARY_BETA, fromMethod, type MethodChoice, newMethod } from "./methods";
import type { RankingChoice } from "./ranking";

/** Everything the form holds. Numbers stay as typed, so that a half-typed one is not lost. */
export interface FormValues {
  /** Null follows the choices: the name is made from them. */
  name: string | null;
  versionId: string | null;
  /** Null takes the version's newest split. */
  splitId: string | null;
  modelId: string | null;
  methods: MethodChoice[];
  seeds: string[];
  numbers: Record<NumberPath, string>;
  choices: Record<ChoicePath, string>;
  lists: Record<ListPath, string[]>;
  trackers: string[];
  /** Name of the endpoint that samples; sent with the server engine only. */
  samplingEndpoint: string | null;
  /** Settings that the form does not show and hands on as they are, such as further data sets. */
  kept: Partial<Spec>;
  /** Compute everything again instead of taking over finished runs. */
  repeat: boolean;
  /** Ratings to train on; absent without. */
  ranking?: RankingChoice | null;
}

/** Which defaults apply: the built-in task and model have the demo's, everything else the paper's. */
export type Recipe = "builtin" | "paper";

type Numbers = Record<NumberPath, number | null>;
type Choices = Record<ChoicePath, string>;

const PAPER_NUMBERS: Numbers = {
  k: 6,
  temperature: 1,
  "optimizer.epochs": 3,
  "optimizer.learning_rate": 2e-5,
  train_questions: null,
  reference_noise: null,
  test_questions: null,
  validation_questions: 200,
  evaluations_per_run: 4,
  watch_questions: 100,
  assessment_questions: 300,
  assessment_samples: 20,
  candidates_per_side: 3,
  max_new_tokens: 256,
  max_length: 512,
  tokens_per_microbatch: 2048,
  "optimizer.questions_per_step": 8,
  "optimizer.warmup_fraction": 0.03,
  "optimizer.weight_decay": 0,
  "optimizer.adam_beta1": 0.9,
  "optimizer.adam_beta2": 0.999,
  "optimizer.max_grad_norm": 1,
  "lora.rank": null,
  "lora.alpha": null,
  "parallel.processes": 1,
  path_temperature: 1,
  "beta_search.questions": null,
};
const PAPER_CHOICES: Choices = {
  judge: "answer",
  feedback: "binary",
  labels: "sampled",
  start_from: "base",
  vft_reduction: "token-mean",
  on_degradation: "warn",
  keep: "last",
  sampling_engine: "builtin",
  precision: "float32",
  "lora.quantize": "none",
  "parallel.strategy": "none",
  "parallel.offload": "false",
  activation_checkpointing: "false",
  choice_likelihood: "false",
};
const DEFAULT_LISTS: Record<ListPath, number[]> = {
  self_consistency: [],
  pass_at_k: [],
  "beta_search.betas": [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5],
  "beta_search.seeds": [0],
};
const NUMBERS_OF: Record<Recipe, Numbers> = {
  paper: PAPER_NUMBERS,
  builtin: {
    ...PAPER_NUMBERS,
    k: 12,
    "optimizer.epochs": 6,
    "optimizer.learning_rate": 2e-3,
    train_questions: 500,
    test_questions: 2000,
    evaluations_per_run: 3,
    max_new_tokens: 64,
    max_length: 128,
  },
};
const CHOICES_OF: Record<Recipe, Choices> = {
  paper: PAPER_CHOICES,
  builtin: { ...PAPER_CHOICES, judge: "oracle" },
};

/** The comparison of the demo: every family, with and without its constraint. */
export function defaultMethods(recipe: Recipe): MethodChoice[] {
  const rated = recipe === "builtin" ? "ranking" : "";
  return [
    newMethod("vft"),
    newMethod("vft-continued"),
    newMethod("rft"),
    newMethod("aft", "none"),
    newMethod("aft", "detached"),
    newMethod("aft", "boundary"),
    newMethod("rrhf", "none", rated),
    newMethod("rrhf", "detached", rated),
    newMethod("pro", "none", rated),
    newMethod("pro", "detached", rated),
  ];
}

/** A form as it first opens. */
export function defaultValues(
  recipe: Recipe,
  versionId: string | null,
  modelId: string | null,
): FormValues {
  return {
    name: null,
    versionId,
    splitId: null,
    modelId,
    methods: defaultMethods(recipe),
    seeds: ["1", "2", "3"],
    numbers: textOf(NUMBERS_OF[recipe]),
    choices: { ...CHOICES_OF[recipe] },
    lists: listsOf((path) => DEFAULT_LISTS[path]),
    trackers: [],
    samplingEndpoint: null,
    kept: {},
    repeat: false,
  };
}

/** The default of the built-in models, the oldest, in a list whose newest stand first. */
export function usualModel(models: readonly { id: string; source: string }[]): string | null {
  const builtin = models.filter((one) => one.source === "builtin");
  return (builtin.at(-1) ?? models[0])?.id ?? null;
}

/** Defaults on the data set version asked for, or on the built-in one. */
export function startingOn(
  datasets: readonly DatasetRow[],
  versionId: string | null,
  modelId: string | null,
): FormValues {
  const asked = datasets.find((one) => one.newest !== null && one.newest.id === versionId);
  const dataset = asked ?? datasets.find((one) => one.builtin) ?? datasets[0];
  const recipe = dataset === undefined || dataset.builtin ? "builtin" : "paper";
  return defaultValues(recipe, dataset?.newest?.id ?? null, modelId);
}

/** Another recipe's defaults, wherever the form still has those of the old one. */
export function adoptRecipe(values: FormValues, from: Recipe, to: Recipe): FormValues {
  if (from === to) return values;
  const [oldNumbers, newNumbers] = [textOf(NUMBERS_OF[from]), textOf(NUMBERS_OF[to])];
  const follow = (before: string, after: string, now: string) => (now === before ? after : now);
  const numbers = { ...values.numbers };
  for (const path of NUMBER_PATHS)
    numbers[path] = follow(oldNumbers[path], newNumbers[path], numbers[path]);
  const choices = { ...values.choices };
  for (const path of CHOICE_PATHS)
    choices[path] = follow(CHOICES_OF[from][path], CHOICES_OF[to][path], choices[path]);
  return { ...values, numbers, choices, methods: adoptFeedback(values.methods, to) };
}

// RRHF and PRO rank by ratings where a judge gives them; elsewhere ratings have two levels anyway.
function adoptFeedback(methods: readonly MethodChoice[], to: Recipe): MethodChoice[] {
  const [before, after] =
    to === "builtin" ? (["", "ranking"] as const) : (["ranking", ""] as const);
  return methods.map((method) =>
    (method.name === "rrhf" || method.name === "pro") && method.feedback === before
      ? { ...method, feedback: after }
      : method,
  );
}

/** The form of an experiment that exists, for "Start from this experiment". */
export const fromExperiment = (spec: Spec): FormValues => ({
  ...fromSpec(spec),
  name: `${spec.name.slice(0, 112)} (copy)`,
});

/** A specification as a form. */
export function fromSpec(spec: Spec): FormValues {
  const at = (path: string): unknown =>
    path
      .split(".")
      .reduce<unknown>((value, key) => (value as Record<string, unknown> | null)?.[key], spec);
  const number = (path: NumberPath): number | null => {
    const value = at(path);
    return typeof value === "number" ? value : null;
  };
  const choice = (path: ChoicePath): string => String(at(path) ?? PAPER_CHOICES[path]);
  return {
    name: spec.name,
    versionId: spec.dataset_version_id,
    splitId: spec.split_id ?? null,
    modelId: spec.base_model_id,
    methods: spec.methods.map(fromMethod),
    seeds: spec.seeds.map(String),
    numbers: Object.fromEntries(
      NUMBER_PATHS.map((path) => [path, numberText(number(path))]),
    ) as Record<NumberPath, string>,
    choices: Object.fromEntries(CHOICE_PATHS.map((path) => [path, choice(path)])) as Choices,
    lists: listsOf((path) => (at(path) as number[] | undefined) ?? DEFAULT_LISTS[path]),
    trackers: [...(spec.trackers ?? [])],
    samplingEndpoint: spec.sampling_endpoint ?? null,
    kept: keptOf(spec),
    repeat: false,
    ranking:
      spec.ranking_set_id || spec.agreement_set_id
        ? {
            setId: spec.ranking_set_id ?? null,
            agreementSetId: spec.agreement_set_id ?? null,
          }
        : null,
  };
}

/** The form with AFT under a boundary of this β, added unless it is there. */
export function withBoundaryBeta(values: FormValues, beta: number): FormValues {
  const text = numberText(beta);
  const isThere = values.methods.some(
    (one) =>
      one.name === "aft" &&
      one.constraint === "boundary" &&
      one.boundaryRule === "beta" &&
      (one.boundaryBeta === text || (one.boundaryBeta === "" && beta === DEFAULT_BOUNDARY_BETA)),
  );
  if (isThere) return values;
  const added = { ...newMethod("aft", "boundary"), boundaryBeta: text };
  return { ...values, methods: [...values.methods, added] };
}

const SHOWN: ReadonlySet<string> = new Set([
  "name",
  "dataset_version_id",
  "split_id",
  "base_model_id",
  "methods",
  "seeds",
  "ranking_set_id",
  "agreement_set_id",
  "sampling_endpoint",
  "trackers",
  ...[...NUMBER_PATHS, ...CHOICE_PATHS, ...LIST_PATHS].map((path) => path.split(".")[0] ?? path),
]);

const keptOf = (spec: Spec): Partial<Spec> =>
  Object.fromEntries(Object.entries(spec).filter(([name]) => !SHOWN.has(name)));

function textOf(numbers: Numbers): Record<NumberPath, string> {
  return Object.fromEntries(
    NUMBER_PATHS.map((path) => [path, numberText(numbers[path])]),
  ) as Record<NumberPath, string>;
}

const listsOf = (numbers: (path: ListPath) => readonly number[]): Record<ListPath, string[]> =>
  Object.fromEntries(LIST_PATHS.map((path) => [path, numbers(path).map(String)])) as Record<
    ListPath,
    string[]
  >;
