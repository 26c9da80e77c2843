import type { Judge, JudgeWrite } from "./queries";

/** The form of an endpoint; numbers as typed, empty where there is no limit. */
export interface JudgeForm {
  base_url: string;
  model: string;
  /** Typed anew to change it; the stored one never comes back. */
  api_key: string;
  removesKey: boolean;
  concurrency: string;
  requests_per_minute: string;
  timeout_seconds: string;
  max_retries: string;
  usd_per_million_input: string;
  usd_per_million_output: string;
  budget_usd: string;
  budget_requests: string;
}

type Numbers = Exclude<keyof JudgeForm, "base_url" | "model" | "api_key" | "removesKey">;

interface NumberField {
  label: string;
  needed?: boolean;
  whole?: boolean;
  /** What an empty field means, where that is not "no limit". */
  empty?: string;
}

export const NUMBERS: Record<Numbers, NumberField> = {
  usd_per_million_input: { label: "USD a million prompt tokens", empty: "not known" },
  usd_per_million_output: { label: "USD a million answer tokens", empty: "not known" },
  budget_usd: { label: "Budget in USD, all runs together" },
  budget_requests: { label: "Budget in requests", whole: true },
  concurrency: { label: "Requests at once", needed: true, whole: true },
  requests_per_minute: { label: "Requests a minute at most" },
  timeout_seconds: { label: "Seconds to wait for an answer", needed: true },
  max_retries: { label: "Further tries", needed: true, whole: true },
};

export const emptyJudge: JudgeForm = {
  base_url: "",
  model: "",
  api_key: "",
  removesKey: false,
  concurrency: "8",
  requests_per_minute: "",
  timeout_seconds: "120",
  max_retries: "6",
  usd_per_million_input: "",
  usd_per_million_output: "",
  budget_usd: "",
  budget_requests: "",
};

export function fromJudge(judge: Judge): JudgeForm {
  const numbers = Object.fromEntries(
    Object.keys(NUMBERS).map((name) => [name, String(judge[name as Numbers] ?? "")]),
  ) as Record<Numbers, string>;
  return { ...emptyJudge, ...numbers, base_url: judge.base_url, model: judge.model };
}

/** The endpoint as the server takes it, or what is wrong by field. */
export function toJudge(form: JudgeForm): JudgeWrite | Record<string, string> {
  const problems: Record<string, string> = {};
  if (form.base_url.trim() === "") problems.base_url = "Give the address up to /v1.";
  if (form.model.trim() === "") problems.model = "Give the model’s name as the endpoint knows it.";
  const numbers: Record<string, number | null> = {};
  for (const [name, { needed = false, whole = false }] of Object.entries(NUMBERS)) {
    const text = form[name as Numbers].trim().replace(",", ".");
    const value = Number(text);
    if (text === "" && !needed) numbers[name] = null;
    else if (text === "" || !Number.isFinite(value))
      problems[name] = `${text || "Nothing"} is no number.`;
    else if (whole && !Number.isInteger(value)) problems[name] = `${text} is no whole number.`;
    else numbers[name] = value;
  }
  if (Object.keys(problems).length > 0) return problems;
  const key = form.removesKey
    ? { api_key: "" }
    : form.api_key === ""
      ? {}
      : { api_key: form.api_key };
  return {
    base_url: form.base_url.trim(),
    model: form.model.trim(),
    ...key,
    ...numbers,
  } as JudgeWrite;
}

export const isWrite = (made: JudgeWrite | Record<string, string>): made is JudgeWrite =>
  "base_url" in made &&
  "model" in made &&
  "concurrency" in made &&
  typeof made.concurrency === "number";
