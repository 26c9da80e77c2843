/** What a comparison shows, held in the page's address: the address is the permalink. */

export type TestName = "paired-t" | "welch" | "bootstrap" | "mcnemar";
export type SortColumn = "method" | "difference" | "p" | (string & {});

export interface Sort {
  column: SortColumn;
  descending: boolean;
}

export interface CompareState {
  /** Ids of the runs that were chosen; none where an experiment is compared. */
  runs: readonly string[];
  /** Label of the method to compare with; undefined is the server's choice, VFT. */
  baseline: string | undefined;
  test: TestName;
  seed: number | undefined;
  published: string | undefined;
  /** The metric whose differences are shown. */
  metric: string;
  /** The task whose questions alone are counted, in a mixed data set; undefined counts all. */
  task: string | undefined;
  sort: Sort | undefined;
  pinned: readonly string[];
  hidden: readonly string[];
  selected: readonly string[];
  /** The method whose flipped questions are shown. */
  flips: string | undefined;
  /** The question of the case study; undefined lets the server choose a telling one. */
  case: number | undefined;
  /** Key of the data set and model that are compared; undefined is the first. */
  block: string | undefined;
}

const TESTS: readonly TestName[] = ["paired-t", "welch", "bootstrap", "mcnemar"];
export const DEFAULT_METRIC = "task_accuracy";

/** Two runs have questions in common and no repetitions; more may have seeds. */
const defaultTest = (runs: readonly string[]): TestName =>
  runs.length === 2 ? "mcnemar" : "paired-t";

export function readState(query: URLSearchParams): CompareState {
  const runs = query.getAll("run");
  const sort = query.get("sort");
  const seed = query.get("seed");
  const example = query.get("case");
  return {
    runs,
    baseline: query.get("baseline") ?? undefined,
    test: TESTS.find((one) => one === query.get("test")) ?? defaultTest(runs),
    seed: seed !== null && /^\d{1,10}$/.test(seed) ? Number(seed) : undefined,
    published: query.get("published") ?? undefined,
    metric: query.get("metric") ?? DEFAULT_METRIC,
    task: query.get("task") ?? undefined,
    sort:
      sort === null || sort === ""
        ? undefined
        : { column: sort.replace(/^-/, ""), descending: sort.startsWith("-") },
    pinned: query.getAll("pin"),
    hidden: query.getAll("hide"),
    selected: query.getAll("select"),
    flips: query.get("flips") ?? undefined,
    case: example !== null && /^\d{1,15}$/.test(example) ? Number(example) : undefined,
    block: query.get("block") ?? undefined,
  };
}

/** The address of a state; what is as by default is left out, so that an address stays short. */
export function writeState(state: CompareState): URLSearchParams {
  const query = new URLSearchParams();
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== "") query.set(name, value);
  };
  for (const id of state.runs) query.append("run", id);
  set("baseline", state.baseline);
  set("test", state.test === defaultTest(state.runs) ? undefined : state.test);
  set("seed", state.seed?.toString());
  set("published", state.published);
  set("metric", state.metric === DEFAULT_METRIC ? undefined : state.metric);
  set("task", state.task);
  set("sort", state.sort && `${state.sort.descending ? "-" : ""}${state.sort.column}`);
  for (const label of state.pinned) query.append("pin", label);
  for (const label of state.hidden) query.append("hide", label);
  for (const label of state.selected) query.append("select", label);
  set("flips", state.flips);
  set("case", state.case?.toString());
  set("block", state.block);
  return query;
}

/** The list with the label added or, where it is in, taken out. */
export const toggled = (labels: readonly string[], label: string): string[] =>
  labels.includes(label) ? labels.filter((one) => one !== label) : [...labels, label];

/** The server's part of a state, as its query. */
export function serverOptions(state: CompareState): Record<string, string | number | string[]> {
  return {
    test: state.test,
    ...(state.baseline !== undefined && { baseline: state.baseline }),
    ...(state.seed !== undefined && { seed: state.seed }),
    ...(state.published !== undefined && { published: state.published }),
    ...(state.block !== undefined && { block: state.block }),
  };
}

/** The same for figures, which leave hidden methods out and know no test. */
export function figureQuery(state: CompareState): URLSearchParams {
  const query = new URLSearchParams();
  if (state.baseline !== undefined) query.set("baseline", state.baseline);
  if (state.published !== undefined) query.set("published", state.published);
  if (state.block !== undefined) query.set("block", state.block);
  for (const label of state.hidden) query.append("hidden", label);
  return query;
}
