import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";
import { notifyDone, notifyError } from "@/components/notify";

export type Run = Schema<"RunRead">;
export type RunRow = Schema<"RunSummary">;
export type GroupedRow = Schema<"GroupedRun">;
export type RunGroup = Schema<"RunGroup">;
export type RunStateValue = RunRow["state"];
export type RunKind = RunRow["kind"];
export type RunFigureName = "loss" | "push" | "degradation";

export interface RunsFilter {
  states: RunStateValue[];
  kind: RunKind | undefined;
  experimentId: string | undefined;
  text: string | undefined;
  tag: string | undefined;
}

const PAGE = 200;

const queryOf = (filter: RunsFilter) => ({
  ...(filter.states.length > 0 && { state: filter.states }),
  ...(filter.kind !== undefined && { kind: filter.kind }),
  ...(filter.experimentId !== undefined && { experiment_id: filter.experimentId }),
  ...(filter.text !== undefined && { q: filter.text }),
  ...(filter.tag !== undefined && { tag: filter.tag }),
});
const onwards = (after: string | null) => ({ limit: PAGE, ...(after !== null && { after }) });

export const runsOptions = (filter: RunsFilter) =>
  infiniteQueryOptions({
    queryKey: ["runs", "list", filter],
    queryFn: async ({ pageParam }) =>
      unwrap(
        await api.GET("/api/v1/runs", {
          params: { query: { ...queryOf(filter), ...onwards(pageParam) } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_after,
  });

/** Runs by experiment and method, without those of closed groups. */
export const groupedRunsOptions = (filter: RunsFilter, closed: readonly string[]) =>
  infiniteQueryOptions({
    queryKey: ["runs", "list", "grouped", filter, closed],
    queryFn: async ({ pageParam }) =>
      unwrap(
        await api.GET("/api/v1/runs/grouped", {
          params: { query: { ...queryOf(filter), closed: [...closed], ...onwards(pageParam) } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_after,
    // The rows stay where they are while a group opens or closes.
    placeholderData: keepPreviousData,
  });

/** Every group with its counts. */
export const groupsOptions = (filter: RunsFilter) =>
  queryOptions({
    queryKey: ["runs", "list", "groups", filter],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/runs/groups", { params: { query: queryOf(filter) } })),
    placeholderData: keepPreviousData,
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

export const tagsOptions = () =>
  queryOptions({
    queryKey: ["runs", "list", "tags"],
    queryFn: async () => unwrap(await api.GET("/api/v1/runs/tags")),
  });

/** Puts tags on runs or takes them off. */
export function useTagging() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: { run_ids: string[]; add: string[]; remove: string[] }) =>
      unwrap(await api.POST("/api/v1/runs/tags", { body })),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["runs"] }),
    onError: notifyError,
  });
}

export type RunActionName = "cancel" | "retry" | "clone";
const VERBS: Record<RunActionName, string> = {
  cancel: "Cancelling",
  retry: "Queued again:",
  clone: "Queued once more:",
};

/** Cancel, retry or clone runs; what could not be done is said with its reason. */
export function useRunAction(action: RunActionName) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (runIds: string[]) =>
      unwrap(await api.POST(`/api/v1/runs/${action}`, { body: { run_ids: runIds } })),
    onSuccess: (result) => {
      const verb = VERBS[action];
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
