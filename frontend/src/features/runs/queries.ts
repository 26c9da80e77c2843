import {
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";
import { notifyDone, notifyError } from "@/components/notify";

export type Run = Schema<"RunRead">;
export type RunRow = Schema<"RunSummary">;
export type RunStateValue = RunRow["state"];
export type RunKind = RunRow["kind"];
export type RunFigureName = "loss" | "push" | "degradation";

export interface RunsFilter {
  states: RunStateValue[];
  kind: RunKind | undefined;
  experimentId: string | undefined;
  text: string | undefined;
}

export const runsOptions = (filter: RunsFilter) =>
  infiniteQueryOptions({
    queryKey: ["runs", "list", filter],
    queryFn: async ({ pageParam }) => {
      const query = {
        limit: 200,
        ...(filter.states.length > 0 && { state: filter.states }),
        ...(filter.kind !== undefined && { kind: filter.kind }),
        ...(filter.experimentId !== undefined && { experiment_id: filter.experimentId }),
        ...(filter.text !== undefined && { q: filter.text }),
        ...(pageParam !== null && { after: pageParam }),
      };
      return unwrap(await api.GET("/api/v1/runs", { params: { query } }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_after,
  });

export const runOptions = (runId: string) =>
  queryOptions({
    queryKey: ["runs", runId],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/runs/{run_id}", { params: { path: { run_id: runId } } })),
  });

export const runFigureOptions = (runId: string, name: RunFigureName) =>
  queryOptions({
    queryKey: ["runs", runId, "figures", name],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/runs/{run_id}/figures/{name}", {
          params: { path: { run_id: runId, name } },
        }),
      ),
  });

export const runLogOptions = (runId: string, search: string) =>
  queryOptions({
    queryKey: ["runs", runId, "log", search],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/runs/{run_id}/log", {
          params: { path: { run_id: runId }, query: search === "" ? {} : { q: search } },
        }),
      ),
  });

/** Cancel or retry runs; what could not be done is said with its reason. */
export function useRunAction(action: "cancel" | "retry") {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (runIds: string[]) =>
      unwrap(await api.POST(`/api/v1/runs/${action}`, { body: { run_ids: runIds } })),
    onSuccess: (result) => {
      const verb = action === "cancel" ? "Cancelling" : "Queued again:";
      if (result.done.length > 0)
        notifyDone(`${verb} ${result.done.length} ${result.done.length === 1 ? "run" : "runs"}.`);
      for (const reason of new Set(result.refused.map((one) => one.reason ?? "")))
        notifyError(new Error(reason));
      void client.invalidateQueries({ queryKey: ["runs"] });
      void client.invalidateQueries({ queryKey: ["experiments"] });
    },
    onError: notifyError,
  });
}
