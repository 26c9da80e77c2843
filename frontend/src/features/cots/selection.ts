import type { QuestionsFilter, VerdictName } from "./queries";

const VERDICTS: readonly VerdictName[] = ["right", "wrong", "unparsed", "truncated"];

/** What the URL says is looked at. */
export interface Selection {
  set: string | undefined;
  question: number | undefined;
  filter: QuestionsFilter;
}

/** Read the URL's query; values that mean nothing are ignored. */
export function readSelection(query: URLSearchParams): Selection {
  const verdict = query.get("verdict");
  const question = Number(query.get("question"));
  return {
    set: query.get("set") ?? undefined,
    question: Number.isInteger(question) && question > 0 ? question : undefined,
    filter: {
      verdict: VERDICTS.find((one) => one === verdict),
      violated: query.get("violated") === "1",
      model: query.get("model") ?? undefined,
      text: query.get("q") ?? undefined,
    },
  };
}

/** The query with some values changed; null takes one away. */
export function withValues(
  query: URLSearchParams,
  values: Record<string, string | null>,
): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === "") next.delete(name);
    else next.set(name, value);
  }
  return next;
}
