import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";

export type Preview = Schema<"CandidatePreview">;
export type Columns = Schema<"CandidateColumns">;
export type ImportRead = Schema<"CandidateImportRead">;

export const datasetsOptions = () =>
  queryOptions({
    queryKey: ["datasets", "to match COTs with"],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/datasets", { params: { query: { limit: 200 } } })).items,
  });

export const previewOptions = (
  uploadId: string | undefined,
  versionId: string | null,
  columns: Columns | null,
) =>
  queryOptions({
    queryKey: ["uploads", uploadId, "as COTs", versionId, columns],
    queryFn: async () =>
      unwrap(
        await api.POST("/api/v1/candidate-imports/preview", {
          body: { upload_id: uploadId ?? "", dataset_version_id: versionId ?? "", columns },
        }),
      ),
    enabled: uploadId !== undefined && versionId !== null,
    placeholderData: (before) => before,
  });

export function useStartImport() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: Schema<"CandidateImportRequest">) =>
      unwrap(await api.POST("/api/v1/candidate-imports", { body })),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["cots"] }),
  });
}

const UNFINISHED = ["waiting", "queued", "starting", "running", "cancelling"];

export const importOptions = (runId: string) =>
  queryOptions({
    queryKey: ["cots", runId, "import"],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/candidate-imports/{run_id}", {
          params: { path: { run_id: runId } },
        }),
      ),
    refetchInterval: ({ state }) =>
      state.data !== undefined && UNFINISHED.includes(state.data.run_state) ? 1000 : false,
  });

/** Takes over the valid rows of an import that waits for a decision, or drops all of them. */
export function useDecision(runId: string) {
  const client = useQueryClient();
  const at = { params: { path: { run_id: runId } } };
  const onSuccess = () => void client.invalidateQueries({ queryKey: ["cots"] });
  return {
    accept: useMutation({
      mutationFn: async () =>
        unwrap(await api.POST("/api/v1/candidate-imports/{run_id}/accept", at)),
      onSuccess,
    }),
    discard: useMutation({
      mutationFn: async () => unwrap(await api.DELETE("/api/v1/candidate-imports/{run_id}", at)),
      onSuccess,
    }),
  };
}
