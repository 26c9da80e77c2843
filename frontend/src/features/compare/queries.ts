import { queryOptions } from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";

export type Comparison = Schema<"Comparison">;
export type MethodRow = Schema<"MethodRow">;
export type Statistic = Schema<"MethodStatistic">;
export type FigureName = "task" | "assessment" | "perplexity" | "scatter" | "curves";

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

export const comparisonOptions = (experimentId: string) =>
  queryOptions({
    queryKey: ["experiments", experimentId, "comparison"],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/experiments/{experiment_id}/comparison", {
          params: { path: { experiment_id: experimentId } },
        }),
      ),
  });

export const figureOptions = (experimentId: string, name: FigureName) =>
  queryOptions({
    queryKey: ["experiments", experimentId, name === "curves" ? "figures:curves" : "figures", name],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/experiments/{experiment_id}/figures/{name}", {
          params: { path: { experiment_id: experimentId, name } },
        }),
      ),
  });
