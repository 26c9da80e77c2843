import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";
import { isActive } from "@/components/RunState";

export type Queue = Schema<"QueueRead">;
export type QueueCreate = Schema<"QueueCreate">;
export type Mode = Queue["mode"];
export type Item = Schema<"ItemRead">;
export type ItemCandidate = Schema<"ItemCandidate">;
export type Known = Schema<"KnownCandidate">;
export type Submission = Schema<"ReviewSubmit">;
export type ReviewProgress = Schema<"Progress">;
export type Person = Schema<"PersonRead">;

export const reviewerOptions = () =>
  queryOptions({
    queryKey: ["review", "list", "reviewer"],
    queryFn: async () => unwrap(await api.GET("/api/v1/reviewer")).person,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const peopleOptions = () =>
  queryOptions({
    queryKey: ["review", "list", "people"],
    queryFn: async () => unwrap(await api.GET("/api/v1/people")),
  });

export const queuesOptions = () =>
  queryOptions({
    queryKey: ["review", "list", "queues"],
    queryFn: async () => unwrap(await api.GET("/api/v1/review-queues")).queues,
  });

export const queueOptions = (queueId: string) =>
  queryOptions({
    queryKey: ["review", queueId],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/review-queues/{queue_id}", {
          params: { path: { queue_id: queueId } },
        }),
      ),
  });

export const experimentsOptions = () =>
  queryOptions({
    queryKey: ["experiments", "list", "to review"],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/experiments", { params: { query: { limit: 100 } } })).items,
  });

export const setsOptions = (experimentId: string) =>
  queryOptions({
    queryKey: ["cots", experimentId, "sets to review"],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/experiments/{experiment_id}/candidate-sets", {
          params: { path: { experiment_id: experimentId } },
        }),
      ).sets,
    enabled: experimentId !== "",
  });

/** One candidate set, whatever experiment it belongs to. */
export const setOptions = (setId: string) =>
  queryOptions({
    queryKey: ["cots", setId, "set"],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}", { params: { path: { run_id: setId } } }),
      ),
    enabled: setId !== "",
  });

export const previewOptions = (body: QueueCreate | null) =>
  queryOptions({
    queryKey: ["review", "preview", body],
    queryFn: async () => {
      if (body === null) return null;
      return unwrap(await api.POST("/api/v1/review-queues/preview", { body }));
    },
    enabled: body !== null,
    retry: false,
  });

/** Says who sits at this browser, or that somebody else does now. */
export function useSetReviewer() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (name: string | null) =>
      name === null
        ? unwrap(await api.DELETE("/api/v1/reviewer"))
        : unwrap(await api.PUT("/api/v1/reviewer", { body: { name } })),
    onSuccess: (answer) => {
      client.setQueryData(reviewerOptions().queryKey, answer.person);
      void client.invalidateQueries({ queryKey: ["review"] });
    },
  });
}

export function useCreateQueue() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: QueueCreate) =>
      unwrap(await api.POST("/api/v1/review-queues", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["review", "list"] }),
  });
}

export function useChangeQueue(queueId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: Schema<"QueueChange">) =>
      unwrap(
        await api.PATCH("/api/v1/review-queues/{queue_id}", {
          params: { path: { queue_id: queueId } },
          body,
        }),
      ),
    onSuccess: (queue) => {
      client.setQueryData(queueOptions(queueId).queryKey, queue);
      void client.invalidateQueries({ queryKey: ["review", "list"] });
    },
  });
}

const WHILE_COMPUTING_MS = 1_000;

export const setModelsOptions = (setId: string) =>
  queryOptions({
    queryKey: ["cots", setId, "checkpoints"],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}/checkpoints", {
          params: { path: { run_id: setId } },
        }),
      ),
  });

/** A question's COTs token by token, for a queue that is not blind. */
export const tokensOptions = (setId: string, exampleId: number, modelRunId: string | undefined) =>
  queryOptions({
    queryKey: ["cots", setId, "tokens", exampleId, [modelRunId]],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}/questions/{example_id}/tokens", {
          params: {
            path: { run_id: setId, example_id: exampleId },
            query: { model: modelRunId === undefined ? [] : [modelRunId] },
          },
        }),
      ),
    enabled: modelRunId !== undefined,
    refetchInterval: ({ state }) =>
      state.data?.pending.some((one) => isActive(one.state)) === true && WHILE_COMPUTING_MS,
  });

export function useComputeTokens(setId: string, exampleId: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (modelRunId: string) =>
      unwrap(
        await api.POST("/api/v1/candidate-sets/{run_id}/questions/{example_id}/tokens", {
          params: { path: { run_id: setId, example_id: exampleId } },
          body: { model_run_id: modelRunId },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["cots", setId] }),
  });
}
