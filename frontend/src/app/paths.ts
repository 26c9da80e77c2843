/** Every address of the pages, so that one feature can link to another without importing it. */
export const paths = {
  home: "/",
  howItWorks: "/how-it-works",
  datasets: "/datasets",
  /** Upload and import. */
  newDataset: "/datasets/new",
  newVersion: (id: string) => withQuery("/datasets/new", { dataset: id }),
  dataset: (id: string) => `/datasets/${id}`,
  models: "/models",
  model: (id: string) => `/models/${id}`,
  experiments: "/experiments",
  newExperiment: "/experiments/new",
  /** The paper's tables and figures in miniature, all at once. */
  paper: "/experiments/paper",
  experiment: (id: string) => `/experiments/${id}`,
  runs: "/runs",
  run: (id: string) => `/runs/${id}`,
  cots: "/cots",
  /** One candidate set, whatever experiment it belongs to. */
  cotSet: (id: string, query: Record<string, string> = {}) => withQuery(`/cots/sets/${id}`, query),
  importCots: "/cots/import",
  cotImport: (id: string) => `/cots/import/${id}`,
  /** The COTs of an experiment; the query chooses the set and the question. */
  cotsOf: (experimentId: string, query: Record<string, string> = {}) =>
    withQuery(`/cots/${experimentId}`, query),
  review: "/review",
  newQueue: "/review/new",
  reviewQueue: (id: string) => `/review/${id}`,
  /** At work in a queue. */
  reviewSession: (id: string) => `/review/${id}/session`,
  compare: "/compare",
  comparison: (experimentId: string) => `/compare/${experimentId}`,
  comparisonOfRuns: (ids: readonly string[]) =>
    `/compare/runs?${new URLSearchParams(ids.map((id) => ["run", id]))}`,
  settings: "/settings",
  newJudge: "/settings/judges/new",
  judge: (name: string) => `/settings/judges/${encodeURIComponent(name)}`,
} as const;

function withQuery(path: string, query: Record<string, string>): string {
  const text = new URLSearchParams(query).toString();
  return text === "" ? path : `${path}?${text}`;
}
