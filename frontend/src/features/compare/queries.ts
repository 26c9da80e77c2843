import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";
import type { paths as ApiPaths } from "@/api/schema";
import { comparedAt } from "./addresses";
import { type CompareState, figureQuery, serverOptions } from "./compareState";

export type Comparison = Schema<"Comparison">;
export type MethodRow = Schema<"MethodRow">;
export type Statistic = Schema<"MethodStatistic">;
export type Flips = Schema<"FlipsRead">;
export type FigureName =
  ApiPaths["/api/v1/experiments/{experiment_id}/figures/{name}"]["get"]["parameters"]["path"]["name"];
export type FlipKind = "fixed" | "broken";

export const comparableOptions = () =>
  queryOptions({
    queryKey: ["experiments", "list", "to compare"],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/experiments", { params: { query: { limit: 100 } } })),
  });

export const experimentOptions = (experimentId: string) =>
  queryOptions({
    queryKey: ["experiments", experimentId],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/experiments/{experiment_id}", {
          params: { path: { experiment_id: experimentId } },
        }),
      ),
  });

/** Where the comparison of an experiment, or of chosen runs, is asked for. */
const keyOf = (experimentId: string, { runs }: CompareState) =>
  runs.length > 0 ? ["runs", "chosen", runs] : ["experiments", experimentId];

export const comparisonOptions = (experimentId: string, state: CompareState) => {
  const query = serverOptions(state);
  return queryOptions({
    queryKey: [...keyOf(experimentId, state), "comparison", query],
    queryFn: async () =>
      state.runs.length > 0
        ? unwrap(
            await api.GET("/api/v1/chosen-runs", {
              params: { query: { ...query, run: [...state.runs] } },
            }),
          )
        : unwrap(
            await api.GET("/api/v1/experiments/{experiment_id}/comparison", {
              params: { path: { experiment_id: experimentId }, query },
            }),
          ),
    // A test over questions takes a moment; the table stays while it is made.
    placeholderData: keepPreviousData,
  });
};

export type Overview = Schema<"ComparisonOverview">;

/** One metric of every method on every data set and model. */
export const overviewOptions = (experimentId: string, state: CompareState) => {
  const { block: _, ...options } = serverOptions(state);
  const query = { ...options, metric: state.metric };
  return queryOptions({
    queryKey: ["experiments", experimentId, "comparison", "overview", query],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/experiments/{experiment_id}/comparison/overview", {
          params: { path: { experiment_id: experimentId }, query },
        }),
      ),
    placeholderData: keepPreviousData,
  });
};

/** Figures of curves change with every metric point, the others when a run ends. */
const LIVE: readonly FigureName[] = ["curves", "push", "degradation"];

/** The figures that chosen runs have. */
export type ChosenFigureName =
  ApiPaths["/api/v1/chosen-runs/figures/{name}"]["get"]["parameters"]["path"]["name"];

export const figureFile = (experimentId: string, name: FigureName, state: CompareState): string => {
  const query = figureQuery(state);
  for (const id of state.runs) query.append("run", id);
  return `${comparedAt(experimentId, state)}/figures/${name}/file?${query}`;
};

export const figureOptions = (experimentId: string, name: FigureName, state: CompareState) => {
  const query = figureQuery(state);
  const options = { ...Object.fromEntries(query), hidden: query.getAll("hidden") };
  return queryOptions({
    queryKey: [
      ...keyOf(experimentId, state),
      LIVE.includes(name) ? "figures:curves" : "figures",
      name,
      query.toString(),
    ],
    queryFn: async () =>
      state.runs.length > 0
        ? unwrap(
            await api.GET("/api/v1/chosen-runs/figures/{name}", {
              params: {
                path: { name: name as ChosenFigureName },
                query: { ...options, run: [...state.runs] },
              },
            }),
          )
        : unwrap(
            await api.GET("/api/v1/experiments/{experiment_id}/figures/{name}", {
              params: { path: { experiment_id: experimentId, name }, query: options },
            }),
          ),
    placeholderData: keepPreviousData,
  });
};

export const flipsOptions = (
  experimentId: string,
  state: CompareState,
  method: string,
  kind: FlipKind,
) => {
  const { baseline, seed, block } = state;
  const query = {
    method,
    kind,
    limit: 100,
    ...(baseline !== undefined && { baseline }),
    ...(seed !== undefined && { seed }),
    ...(block !== undefined && { block }),
  };
  return queryOptions({
    queryKey: [...keyOf(experimentId, state), "flips", query],
    queryFn: async () =>
      state.runs.length > 0
        ? unwrap(
            await api.GET("/api/v1/chosen-runs/flips", {
              params: { query: { ...query, run: [...state.runs] } },
            }),
          )
        : unwrap(
            await api.GET("/api/v1/experiments/{experiment_id}/flips", {
              params: { path: { experiment_id: experimentId }, query },
            }),
          ),
    placeholderData: keepPreviousData,
  });
};

export type CaseStudy = Schema<"CaseStudy">;

/** One question under every method; without a case one that they answer differently. */
export const caseOptions = (experimentId: string, state: CompareState) => {
  const { case: exampleId, seed, block } = state;
  const query = {
    ...(exampleId !== undefined && { example_id: exampleId }),
    ...(seed !== undefined && { seed }),
    ...(block !== undefined && { block }),
  };
  return queryOptions({
    queryKey: [...keyOf(experimentId, state), "case-study", query],
    queryFn: async () =>
      state.runs.length > 0
        ? unwrap(
            await api.GET("/api/v1/chosen-runs/case-study", {
              params: { query: { ...query, run: [...state.runs] } },
            }),
          )
        : unwrap(
            await api.GET("/api/v1/experiments/{experiment_id}/case-study", {
              params: { path: { experiment_id: experimentId }, query },
            }),
          ),
    placeholderData: keepPreviousData,
  });
};
