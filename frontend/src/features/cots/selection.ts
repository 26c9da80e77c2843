import type { CandidateSet, ListFilter, VerdictName } from "./queries";

const VERDICTS: readonly VerdictName[] = ["right", "wrong", "unparsed", "truncated"];

export type View = "questions" | "cots";

/** Orders of each view: the words, and whether they need a model's scores. */
export const SORTS = {
  questions: {
    position: { label: "Data set order" },
    margin: { label: "Margin", scored: true },
    violated: { label: "Violated pairs", scored: true },
    score: { label: "Best score", scored: true },
    right: { label: "Right COTs" },
    length: { label: "Length" },
    rating: { label: "Rating" },
    disagreement: { label: "Raters disagree" },
  },
  cots: {
    position: { label: "Data set order" },
    score: { label: "Score", scored: true },
    length: { label: "Length" },
    rating: { label: "Rating" },
    disagreement: { label: "Raters disagree" },
  },
} as const satisfies Record<View, Record<string, { label: string; scored?: boolean }>>;

export type QuestionSort = keyof typeof SORTS.questions;
export type CotSort = keyof typeof SORTS.cots;

/** What the URL says is looked at. */
export interface Selection {
  set: string | undefined;
  question: number | undefined;
  /** The opened COT's id. */
  cot: number | undefined;
  view: View;
  sort: string;
  descending: boolean | undefined;
  filter: ListFilter;
}

const NUMBERS = [
  "min_tokens",
  "max_tokens",
  "min_rating",
  "max_rating",
  "min_disagreement",
  "min_score",
  "max_score",
  "min_margin",
  "max_margin",
] as const;
const FLAGS = ["duplicate", "rated", "violated"] as const;
/** Filters that mean nothing without a model's scores. */
export const SCORED = ["violated", "min_score", "max_score", "min_margin", "max_margin"] as const;
/** Everything that `Clear filters` takes away. */
export const FILTERS: readonly string[] = ["verdict", "q", "source_model", ...NUMBERS, ...FLAGS];

function readId(query: URLSearchParams, name: string): number | undefined {
  const id = Number(query.get(name));
  return Number.isSafeInteger(id) && id > 0 ? id : undefined;
}

/** Read the URL's query; values that mean nothing are ignored. */
export function readSelection(query: URLSearchParams): Selection {
  const view: View = query.get("view") === "cots" ? "cots" : "questions";
  const sort = query.get("sort") ?? "position";
  const order = query.get("order");
  const filter: ListFilter = {};
  const verdict = VERDICTS.find((one) => one === query.get("verdict"));
  if (verdict !== undefined) filter.verdict = verdict;
  for (const name of ["q", "model", "source_model"] as const) {
    const value = query.get(name);
    if (value !== null && value !== "") filter[name] = value;
  }
  for (const name of NUMBERS) {
    const value = query.get(name);
    if (value !== null && value !== "" && Number.isFinite(Number(value)))
      filter[name] = Number(value);
  }
  for (const name of FLAGS) if (query.get(name) === "1") filter[name] = true;
  return {
    set: query.get("set") ?? undefined,
    question: readId(query, "question"),
    cot: readId(query, "cot"),
    view,
    sort: sort in SORTS[view] ? sort : "position",
    descending: order === "desc" ? true : order === "asc" ? false : undefined,
    filter,
  };
}

/** The selection for a set: without a model that scored it, nothing about scores can be asked. */
export function forSet(selection: Selection, set: Pick<CandidateSet, "models">): Selection {
  const { model: asked, ...filter } = selection.filter;
  const model = (set.models.find((one) => one.model_run_id === asked) ?? set.models[0])
    ?.model_run_id;
  if (model !== undefined) return { ...selection, filter: { ...filter, model } };
  for (const name of SCORED) delete filter[name];
  const sort = (SORTS[selection.view] as Record<string, { scored?: boolean }>)[selection.sort];
  return { ...selection, filter, sort: sort?.scored === true ? "position" : selection.sort };
}

/** How many filters are set; the model alone is none. */
export const countFilters = (filter: ListFilter): number =>
  Object.keys(filter).filter((name) => name !== "model").length;

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

/** Where in a set one is: what is opened, not what is listed. */
export const PLACE = ["question", "cot", "pair", "read", "one", "other"] as const;

/** What a saved view keeps of the address: filters, order and view, not where one is. */
export function viewQuery(query: URLSearchParams): string {
  const kept = new URLSearchParams(query);
  for (const name of ["set", ...PLACE]) kept.delete(name);
  return kept.toString();
}

/** The address of an export of what passes the filter. */
export function exportHref(
  setId: string,
  filter: ListFilter,
  more: Record<string, string>,
): string {
  const query = new URLSearchParams(
    Object.entries(filter).map(([name, value]): [string, string] => [name, String(value)]),
  );
  for (const [name, value] of Object.entries(more)) query.set(name, value);
  return `/api/v1/candidate-sets/${setId}/export?${query}`;
}
