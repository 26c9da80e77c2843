import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";

export type Judge = Schema<"JudgeRead">;
export type JudgeWrite = Schema<"JudgeWrite">;
export type JudgeRun = Schema<"JudgeRunRead">;
export type JudgeRunCreate = Schema<"JudgeRunCreate">;
export type TriedItem = Schema<"JudgeTestItem">;
export type Tried = Schema<"JudgeTestResult">;

/** Whose COTs are judged. */
export type JudgeSource = { queue_id: string } | { candidates_run_id: string };

export const judgesOptions = () =>
  queryOptions({
    queryKey: ["judges", "list"],
    queryFn: async () => unwrap(await api.GET("/api/v1/judges")).items,
  });

export const judgeOptions = (name: string) =>
  queryOptions({
    queryKey: ["judges", name],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/judges/{name}", { params: { path: { name } } })),
  });

export const judgeRunsOptions = (name: string) =>
  queryOptions({
    queryKey: ["judges", name, "runs"],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/judges/{name}/runs", { params: { path: { name } } })).items,
    refetchInterval: (query) => (query.state.data?.some(isActive) ? 2_000 : 30_000),
  });

export const isActive = ({ state }: JudgeRun): boolean =>
  !["succeeded", "failed", "cancelled"].includes(state);

export const judgeRunPreviewOptions = (name: string, body: JudgeRunCreate | null) =>
  queryOptions({
    queryKey: ["judges", name, "preview", body],
    queryFn: async () => {
      if (body === null) return null;
      return unwrap(
        await api.POST("/api/v1/judges/{name}/runs/preview", { params: { path: { name } }, body }),
      );
    },
    enabled: body !== null,
    retry: false,
  });

export const experimentsOptions = () =>
  queryOptions({
    queryKey: ["experiments", "list", "to judge"],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/experiments", { params: { query: { limit: 100 } } })).items,
  });

export const setsOptions = (experimentId: string) =>
  queryOptions({
    queryKey: ["cots", experimentId, "sets to judge"],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/experiments/{experiment_id}/candidate-sets", {
          params: { path: { experiment_id: experimentId } },
        }),
      ).sets.filter((set) => (set.counts.all ?? 0) > 0),
    enabled: experimentId !== "",
  });

export const queuesOptions = () =>
  queryOptions({
    queryKey: ["review", "list", "queues to judge"],
    queryFn: async () => unwrap(await api.GET("/api/v1/review-queues")).queues,
  });

export function useWriteJudge(name: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: JudgeWrite) =>
      unwrap(await api.PUT("/api/v1/judges/{name}", { params: { path: { name } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["judges"] }),
  });
}

export function useDeleteJudge() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (name: string) =>
      unwrap(await api.DELETE("/api/v1/judges/{name}", { params: { path: { name } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["judges"] }),
  });
}

export function useTryJudge(name: string) {
  return useMutation({
    mutationFn: async (body: Schema<"JudgeTest">) =>
      unwrap(await api.POST("/api/v1/judges/{name}/test", { params: { path: { name } }, body })),
  });
}

export function useStartJudgeRun(name: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: JudgeRunCreate) =>
      unwrap(await api.POST("/api/v1/judges/{name}/runs", { params: { path: { name } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["judges", name] }),
  });
}

/** Cancels a rating run, or lets it go on where it ended. */
export function useJudgeRunAction(name: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ runId, action }: { runId: string; action: "cancel" | "retry" }) =>
      action === "cancel"
        ? unwrap(await api.POST("/api/v1/runs/cancel", { body: { run_ids: [runId] } }))
        : unwrap(await api.POST("/api/v1/runs/retry", { body: { run_ids: [runId] } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["judges", name] }),
  });
}
