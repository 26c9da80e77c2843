import { ApiError } from "@/api/errors";
import type { Plan, Spec } from "../queries";
import {
  CHOICE_PATHS,
  infoOf,
  LIST_PATHS,
  LISTS,
  type ListPath,
  NUMBER_PATHS,
  type NumberPath,
  readList,
  readNumber,
  SWITCHES,
} from "./fields";
import { methodProblems, repeatedLabels, toMethod } from "./methods";
import type { FormValues } from "./values";

/** What is wrong, by the field it belongs to: a path of the specification. */
export type Problems = ReadonlyMap<string, string>;

const LARGEST_SEED = 2 ** 31 - 1;
const MOST_SEEDS = 50;
const MOST_METHODS = 40;

/** The form as the server takes it; null while something in it cannot be read, with the reasons. */
export function toSpec(
  values: FormValues,
  automaticName: string,
): { spec: Spec | null; problems: Problems } {
  const problems = new Map<string, string>();
  const numbers = readNumbers(values, problems);
  const lists = readLists(values, problems);
  const seeds = readSeeds(values.seeds, problems);
  const methods = readMethods(values, problems);
  const name = (values.name ?? automaticName).trim();
  if (name === "") problems.set("name", "The name is empty. Give the experiment a name.");
  if (name.length > 120)
    problems.set("name", `The name has ${name.length} characters; 120 are the most.`);
  if (values.versionId === null)
    problems.set("dataset_version_id", "No data set is chosen. Choose one, or import yours first.");
  if (values.modelId === null)
    problems.set("base_model_id", "No base model is chosen. Choose one, or register yours first.");
  const onServer = values.choices.sampling_engine === "openai";
  if (onServer && values.samplingEndpoint === null)
    problems.set(
      "sampling_endpoint",
      "No endpoint is chosen. Choose one, or add it with `aft judge set`.",
    );
  if (problems.size > 0 || values.versionId === null || values.modelId === null)
    return { spec: null, problems };
  const body: Record<string, unknown> = {};
  for (const path of NUMBER_PATHS) put(body, path, numbers[path]);
  for (const path of CHOICE_PATHS) {
    const value = values.choices[path];
    put(body, path, SWITCHES.includes(path) ? value === "true" : value);
  }
  for (const path of LIST_PATHS) put(body, path, lists[path]);
  if (numbers["lora.rank"] === null) body.lora = null;
  const spec = {
    ...values.kept,
    name,
    dataset_version_id: values.versionId,
    split_id: values.splitId,
    base_model_id: values.modelId,
    methods,
    seeds,
    ...body,
    trackers: values.trackers,
    ...(values.ranking && {
      ranking_set_id: values.ranking.setId,
      agreement_set_id: values.ranking.agreementSetId,
    }),
    sampling_endpoint: onServer ? values.samplingEndpoint : null,
  } as unknown as Spec;
  return { spec, problems };
}

/** Set a setting by its path; an empty one inside a group is left to the server's default. */
function put(body: Record<string, unknown>, path: string, value: unknown): void {
  const [group = "", key] = path.split(".");
  if (key === undefined) {
    body[group] = value;
    return;
  }
  const inner = (body[group] ?? {}) as Record<string, unknown>;
  body[group] = value === null ? inner : { ...inner, [key]: value };
}

function readNumbers(values: FormValues, problems: Map<string, string>) {
  const numbers = {} as Record<NumberPath, number | null>;
  for (const path of NUMBER_PATHS) {
    const value = readNumber(values.numbers[path], infoOf(path));
    if (typeof value === "object" && value !== null) problems.set(path, value.problem);
    else numbers[path] = value;
  }
  return numbers;
}

function readLists(values: FormValues, problems: Map<string, string>) {
  const lists = {} as Record<ListPath, number[]>;
  for (const path of LIST_PATHS) {
    const read = readList(values.lists[path], LISTS[path]);
    if (Array.isArray(read)) lists[path] = read;
    else problems.set(path, read.problem);
  }
  return lists;
}

function readSeeds(texts: readonly string[], problems: Map<string, string>): number[] {
  const seeds = texts.map((text) => Number(text.trim()));
  const bad = texts.find(
    (_, index) => !Number.isInteger(seeds[index]) || !inSeedRange(seeds[index]),
  );
  if (texts.length === 0)
    problems.set("seeds", "There is no seed. Give at least one, better three.");
  else if (bad !== undefined)
    problems.set("seeds", `Seed ${bad} cannot be used. Seeds are whole numbers from 0 on.`);
  else if (texts.length > MOST_SEEDS)
    problems.set("seeds", `There are ${texts.length} seeds; ${MOST_SEEDS} are the most.`);
  return seeds;
}

const inSeedRange = (seed: number | undefined): boolean =>
  seed !== undefined && seed >= 0 && seed <= LARGEST_SEED;

function readMethods({ methods: choices }: FormValues, problems: Map<string, string>) {
  if (choices.length === 0) problems.set("methods", "No method is chosen. Choose at least one.");
  if (choices.length > MOST_METHODS)
    problems.set("methods", `${choices.length} methods are chosen; ${MOST_METHODS} are the most.`);
  const methods = choices.map(toMethod);
  for (const [index, choice] of choices.entries()) {
    const [first] = methodProblems(choice);
    if (first !== undefined) problems.set(`methods.${index}`, first);
  }
  const [repeated] = repeatedLabels(methods);
  if (repeated !== undefined)
    problems.set(
      "methods",
      `${repeated[0]} is chosen ${repeated[1]} times. Change a setting of one, or give it a label.`,
    );
  return methods;
}

/** The name an experiment has until somebody gives it one. */
export function automaticName(values: FormValues, dataset: string | undefined): string {
  const methods = `${values.methods.length} ${values.methods.length === 1 ? "method" : "methods"}`;
  const seeds = `${values.seeds.length} ${values.seeds.length === 1 ? "seed" : "seeds"}`;
  return `${dataset ?? "Experiment"}: ${methods}, ${seeds}`;
}

/** The server's findings beside their fields: errors of the plan, and of a refused request. */
export function serverProblems(plan: Plan | undefined, errors: readonly unknown[]): Problems {
  const problems = new Map<string, string>();
  for (const warning of plan?.warnings ?? [])
    if (warning.level === "error" && warning.field !== null)
      problems.set(warning.field, `${warning.message} ${warning.remedy}`.trim());
  for (const error of errors)
    if (error instanceof ApiError)
      for (const { field, message } of error.errors) {
        const path = fieldOf(field);
        if (!problems.has(path)) problems.set(path, message);
      }
  return problems;
}

/** `spec.methods.3.beta` of a start is `methods.3` of the form: a method's row shows all of its own. */
function fieldOf(field: string): string {
  const path = field.replace(/^spec\.?/, "");
  if (path === "parallel") return "parallel.strategy";
  if (path === "lora") return "lora.rank";
  // An item of a list is shown at its list.
  const list = path.replace(/\.\d+$/, "");
  if (LIST_PATHS.some((one) => one === list)) return list;
  return /^(methods\.\d+|seeds)\b/.exec(path)?.[0] ?? path;
}
