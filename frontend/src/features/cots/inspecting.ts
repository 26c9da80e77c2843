import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";
import { isActive } from "@/components/RunState";

export type Extraction = Schema<"Extraction">;
export type QuestionTokens = Schema<"QuestionTokens">;
export type TokenLine = Schema<"TokenLine">;
export type LabelWrite = Schema<"LabelWrite">;
export type Labellings = Schema<"Labellings">;
export type RegradeRow = Schema<"RegradeRow">;

const WHILE_WAITING_MS = 1_000;

export const checkpointsOptions = (setId: string) =>
  queryOptions({
    queryKey: ["cots", setId, "checkpoints"],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}/checkpoints", {
          params: { path: { run_id: setId } },
        }),
      ),
  });

export const tokensOptions = (setId: string, exampleId: number, models: string[]) =>
  queryOptions({
    queryKey: ["cots", setId, "tokens", exampleId, models],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}/questions/{example_id}/tokens", {
          params: { path: { run_id: setId, example_id: exampleId }, query: { model: models } },
        }),
      ),
    enabled: models.length > 0,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.pending.some((one) => isActive(one.state)) === true && WHILE_WAITING_MS,
  });

export function useComputeTokens(setId: string, exampleId: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (model: string) =>
      unwrap(
        await api.POST("/api/v1/candidate-sets/{run_id}/questions/{example_id}/tokens", {
          params: { path: { run_id: setId, example_id: exampleId } },
          body: { model_run_id: model },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["cots", setId] }),
  });
}

/** Runs that score a whole set, or failed to. */
export const pendingScoresOptions = (setId: string) =>
  queryOptions({
    queryKey: ["cots", setId, "scores"],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}/scores", {
          params: { path: { run_id: setId } },
        }),
      ),
    refetchInterval: ({ state }) =>
      state.data?.some((one) => isActive(one.state)) === true && WHILE_WAITING_MS,
  });

export function useScoreSet(setId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (model: string) =>
      unwrap(
        await api.POST("/api/v1/candidate-sets/{run_id}/scores", {
          params: { path: { run_id: setId } },
          body: { model_run_id: model },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["cots", setId] }),
  });
}

export const extractionOptions = (candidateId: number) =>
  queryOptions({
    queryKey: ["cots", "candidate", "extraction", candidateId],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/candidates/{candidate_id}/extraction", {
          params: { path: { candidate_id: candidateId } },
        }),
      ),
  });

export function useWriteLabel(candidateId: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: LabelWrite) =>
      unwrap(
        await api.POST("/api/v1/candidates/{candidate_id}/labels", {
          params: { path: { candidate_id: candidateId } },
          body,
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["cots"] }),
  });
}

export const labellingsOptions = (setId: string) =>
  queryOptions({
    queryKey: ["cots", setId, "labellings"],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}/labellings", {
          params: { path: { run_id: setId } },
        }),
      ),
    refetchInterval: ({ state }) =>
      state.data?.regrades.some((one) => isActive(one.state)) === true && WHILE_WAITING_MS,
  });

export function useRegrade(setId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () =>
      unwrap(
        await api.POST("/api/v1/candidate-sets/{run_id}/regrades", {
          params: { path: { run_id: setId } },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["cots", setId] }),
  });
}
