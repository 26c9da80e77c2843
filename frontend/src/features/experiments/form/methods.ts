import type { Method } from "../queries";
import { METHOD_NUMBERS, numberText, readNumber } from "./fields";

export type MethodName = Method["name"];
export type Constraint = Method["constraint"];

/** A method as the form holds it: numbers as typed, empty for the default. */
export interface MethodChoice {
  id: string;
  name: MethodName;
  constraint: Constraint;
  feedback: "" | "binary" | "ranking";
  boundaryBeta: string;
  boundaryRule: BoundaryRule;
  beta: string;
  weight: string;
  temperature: boolean;
  sftOn: Method["sft_on"];
  distinct: Method["distinct"];
  k: string;
  negativeNoise: string;
  epochsFactor: string;
  label: string;
}

/** Where the boundary lies; `search` is β chosen on validation questions. */
export type BoundaryRule = Method["boundary_rule"] | "search";

export const FAMILIES: readonly { name: MethodName; label: string; about: string }[] = [
  { name: "vft", label: "VFT", about: "Fine-tuning on the references; the baseline." },
  {
    name: "vft-continued",
    label: "VFT · continued",
    about: "VFT with as many epochs as a method sees in all; the control.",
  },
  { name: "rft", label: "RFT", about: "VFT with every distinct right COT added." },
  { name: "aft", label: "AFT", about: "The paper's alignment loss." },
  { name: "rrhf", label: "RRHF", about: "Hinge loss over pairs." },
  { name: "pro", label: "PRO", about: "Preference ranking of the whole list." },
  { name: "dpo", label: "DPO", about: "Against the VFT model as the reference." },
];
export const CONSTRAINTS: readonly { name: Constraint; about: string }[] = [
  { name: "none", about: "Wrong COTs are pushed down without limit. Expect degradation." },
  { name: "detached", about: "No gradient to the worse COT of a pair." },
  { name: "detached-lowest", about: "No gradient to the COTs of the lowest quality only." },
  { name: "boundary", about: "Wrong COTs are kept above a boundary β below the better ones." },
];
export const BOUNDARY_RULES: readonly { value: BoundaryRule; label: string }[] = [
  { value: "beta", label: "β" },
  { value: "search", label: "β by validation" },
  { value: "spread", label: "spread of scores" },
  { value: "floor", label: "own VFT score" },
];
const RANKING = new Set<MethodName>(["aft", "rrhf", "pro", "dpo"]);
const WITH_BETA = new Set<MethodName>(["rrhf", "dpo"]);
export const DEFAULT_BOUNDARY_BETA = 0.15;
export const LONGEST_LABEL = 60;
/** PRO's temperatures (Eq. 21), or all of them 1. */
export const TEMPERATURES = [
  { value: "true", label: "by rating differences" },
  { value: "false", label: "all 1" },
] as const;

export const isRanking = (name: MethodName): boolean => RANKING.has(name);
/** Whether sampled COTs are part of what it trains on. */
export const usesCandidates = (name: MethodName): boolean => name === "rft" || isRanking(name);
/** What the VFT term learns. */
export const SFT_ON: readonly { value: Method["sft_on"]; label: string }[] = [
  { value: "reference", label: "the reference" },
  { value: "best", label: "the best COT" },
];
/** Which right COTs RFT adds; `equations` is its rule as first published. */
export const DISTINCT: readonly { value: Method["distinct"]; label: string }[] = [
  { value: "texts", label: "distinct texts" },
  { value: "equations", label: "distinct equations" },
];
/** RRHF's factor or DPO's β; no other method has one. */
export const hasBeta = (name: MethodName): boolean => WITH_BETA.has(name);

export const newMethod = (
  name: MethodName,
  constraint: Constraint = "none",
  feedback: MethodChoice["feedback"] = "",
): MethodChoice => ({
  id: `${name} ${constraint} ${++made}`,
  name,
  constraint,
  feedback,
  boundaryBeta: "",
  boundaryRule: "beta",
  beta: "",
  weight: "",
  temperature: true,
  sftOn: "reference",
  distinct: "texts",
  k: "",
  negativeNoise: "",
  epochsFactor: "",
  label: "",
});
// Only tells the rows of one page apart.
let made = 0;

const place = ({ name, constraint }: MethodChoice): number =>
  10 * FAMILIES.findIndex((family) => family.name === name) +
  CONSTRAINTS.findIndex((one) => one.name === constraint);

/** Adds a method where the catalogue has it, so that tables and charts keep one order. */
export function withMethod(methods: readonly MethodChoice[], added: MethodChoice): MethodChoice[] {
  const before = methods.filter((one) => place(one) <= place(added));
  const after = methods.filter((one) => place(one) > place(added));
  return [...before, added, ...after];
}

type Settings = Record<keyof typeof METHOD_NUMBERS, number | null>;

/** The method's numbers, or the problem of each that cannot be read. */
function read(choice: MethodChoice): { settings: Settings; problems: string[] } {
  const problems: string[] = [];
  const number = (key: keyof typeof METHOD_NUMBERS, text: string, applies: boolean) => {
    if (!applies) return null;
    const value = readNumber(text, METHOD_NUMBERS[key]);
    if (typeof value !== "object" || value === null) return value;
    problems.push(value.problem);
    return null;
  };
  const settings = {
    boundary_beta: number(
      "boundary_beta",
      choice.boundaryBeta,
      choice.constraint === "boundary" && choice.boundaryRule === "beta",
    ),
    beta: number("beta", choice.beta, hasBeta(choice.name)),
    weight: number("weight", choice.weight, isRanking(choice.name)),
    k: number("k", choice.k, usesCandidates(choice.name)),
    negative_noise: number(
      "negative_noise",
      choice.negativeNoise,
      isRanking(choice.name) && choice.name !== "dpo",
    ),
    epochs_factor: number("epochs_factor", choice.epochsFactor, choice.name === "vft-continued"),
  };
  return { settings, problems };
}

export function methodProblems(choice: MethodChoice): string[] {
  const { length } = choice.label.trim();
  const tooLong =
    length > LONGEST_LABEL
      ? [`The name has ${length} characters; ${LONGEST_LABEL} are the most.`]
      : [];
  return [...read(choice).problems, ...tooLong];
}

/** Whether the method has any of the settings that its row only shows on demand. */
export const hasMore = (choice: MethodChoice): boolean =>
  choice.label !== "" ||
  choice.weight !== "" ||
  !choice.temperature ||
  choice.sftOn !== "reference" ||
  choice.distinct !== "texts";

export function toMethod(choice: MethodChoice): Method {
  const { settings } = read(choice);
  const ranking = isRanking(choice.name);
  const rule = ranking && choice.constraint === "boundary" ? choice.boundaryRule : "beta";
  return {
    name: choice.name,
    constraint: ranking ? choice.constraint : "none",
    boundary_beta: settings.boundary_beta,
    boundary_rule: rule === "search" ? "beta" : rule,
    boundary_search: rule === "search",
    beta: settings.beta,
    feedback: ranking && choice.feedback !== "" ? choice.feedback : null,
    temperature: choice.name === "pro" ? choice.temperature : true,
    weight: settings.weight ?? 1,
    sft_on: choice.sftOn,
    distinct: choice.name === "rft" ? choice.distinct : "texts",
    k: settings.k,
    negative_noise: settings.negative_noise,
    epochs_factor: settings.epochs_factor,
    label: choice.label.trim() === "" ? null : choice.label.trim(),
  };
}

export function fromMethod(method: Method): MethodChoice {
  return {
    ...newMethod(method.name, method.constraint, method.feedback ?? ""),
    boundaryBeta: numberText(method.boundary_beta),
    boundaryRule: method.boundary_search ? "search" : method.boundary_rule,
    beta: numberText(method.beta),
    weight: method.weight === 1 ? "" : numberText(method.weight),
    temperature: method.temperature,
    sftOn: method.sft_on,
    distinct: method.distinct,
    k: numberText(method.k),
    negativeNoise: numberText(method.negative_noise),
    epochsFactor: numberText(method.epochs_factor),
    label: method.label ?? "",
  };
}

const general = (value: number): string => String(Number(value.toPrecision(6)));

/** The method's one name, as the server makes it: settings that differ from the default are added. */
export function methodLabel(method: Method): string {
  if (method.label !== null && method.label !== undefined) return method.label;
  const { boundary_beta, beta } = method;
  const parts = [FAMILIES.find((family) => family.name === method.name)?.label ?? method.name];
  if (isRanking(method.name)) parts.push(method.constraint);
  if (method.feedback && method.name === "aft") parts.push(method.feedback);
  if (typeof boundary_beta === "number" && boundary_beta !== DEFAULT_BOUNDARY_BETA)
    parts.push(`β ${general(boundary_beta)}`);
  if (method.boundary_rule !== "beta") parts.push(method.boundary_rule);
  if (method.boundary_search) parts.push("searched β");
  if (typeof beta === "number" && beta !== 1)
    parts.push(method.name === "rrhf" ? `factor ${general(beta)}` : `DPO β ${general(beta)}`);
  if (!method.temperature) parts.push("no temperature");
  if (method.distinct !== "texts") parts.push(`distinct ${method.distinct}`);
  if (method.weight !== 1) parts.push(`weight ${general(method.weight)}`);
  if (method.sft_on !== "reference") parts.push(`SFT on ${method.sft_on}`);
  if (typeof method.epochs_factor === "number" && method.epochs_factor !== 2)
    parts.push(`${method.epochs_factor} x epochs`);
  if (typeof method.k === "number") parts.push(`k ${method.k}`);
  if (typeof method.negative_noise === "number") parts.push(`α ${general(method.negative_noise)}`);
  return parts.join(" · ");
}

/** Labels that stand more than once, with how often. */
export function repeatedLabels(methods: readonly Method[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const method of methods) {
    const label = methodLabel(method);
    times.set(label, (times.get(label) ?? 0) + 1);
  }
  return new Map([...times].filter(([, n]) => n > 1));
}

/** A method as the published tables key it, `rrhf:none:ranking:0.1`, by the paper's name. */
export function publishedLabel(key: string): string {
  const [name = "", ...settings] = key.split(":");
  const family = FAMILIES.find((one) => one.name === name);
  const words = settings.map((one) =>
    Number.isNaN(Number(one)) ? one.replace("no-", "no ") : `factor ${one}`,
  );
  return [family?.label ?? name, ...words].join(" · ");
}
