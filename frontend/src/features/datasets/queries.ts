import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";
import { notifyDone, notifyError } from "@/components/notify";

export type Dataset = Schema<"DatasetRead">;
export type DatasetRow = Schema<"DatasetSummary">;
export type Version = Schema<"VersionRead">;
export type Upload = Schema<"UploadRead">;
export type Example = Schema<"ExampleRead">;
export type SplitPreset = Schema<"SplitPreset">;

export const datasetsOptions = () =>
  queryOptions({
    queryKey: ["datasets", "list"],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/datasets", { params: { query: { limit: 200 } } })).items,
  });

export const datasetOptions = (datasetId: string) =>
  queryOptions({
    queryKey: ["datasets", datasetId],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/datasets/{dataset_id}", {
          params: { path: { dataset_id: datasetId } },
        }),
      ),
  });

export const examplesOptions = (versionId: string, text: string) =>
  infiniteQueryOptions({
    queryKey: ["datasets", versionId, "examples", text],
    queryFn: async ({ pageParam }) =>
      unwrap(
        await api.GET("/api/v1/dataset-versions/{version_id}/examples", {
          params: {
            path: { version_id: versionId },
            query: {
              limit: 100,
              ...(text !== "" && { q: text }),
              ...(pageParam !== null && { after: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => (page.next_after === null ? null : Number(page.next_after)),
  });

/** The first rows as they would be imported; the last ones stay while a change is on its way. */
export const previewOptions = (uploadId: string, body: Schema<"PreviewRequest">) =>
  queryOptions({
    queryKey: ["uploads", uploadId, "preview", body],
    queryFn: async () =>
      unwrap(
        await api.POST("/api/v1/uploads/{upload_id}/preview", {
          params: { path: { upload_id: uploadId } },
          body,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export function useImport() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: Schema<"ImportRequest">) =>
      unwrap(await api.POST("/api/v1/imports", { body })),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["datasets"] }),
  });
}

export const splitsOptions = (versionId: string) =>
  queryOptions({
    queryKey: ["datasets", versionId, "splits"],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/dataset-versions/{version_id}/splits", {
          params: { path: { version_id: versionId } },
        }),
      ),
  });

export const splitPresetsOptions = (versionId: string) =>
  queryOptions({
    queryKey: ["datasets", versionId, "split presets"],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/dataset-versions/{version_id}/split-presets", {
          params: { path: { version_id: versionId } },
        }),
      ),
  });

export function useDrawSplit(versionId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: Schema<"SplitCreate">) =>
      unwrap(
        await api.POST("/api/v1/dataset-versions/{version_id}/splits", {
          params: { path: { version_id: versionId } },
          body,
        }),
      ),
    onSuccess: (split) => {
      notifyDone(`Split '${split.name}' is drawn.`);
      void client.invalidateQueries({ queryKey: ["datasets"] });
    },
  });
}

export function useMix() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: Schema<"MixRequest">) =>
      unwrap(await api.POST("/api/v1/datasets/mix", { body })),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["datasets"] }),
  });
}

/** Takes over the valid rows of an import that waits for a decision, or drops all of them. */
export function useDecision(versionId: string, decision: "accept" | "discard") {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () =>
      unwrap(
        await api.POST(`/api/v1/dataset-versions/{version_id}/${decision}`, {
          params: { path: { version_id: versionId } },
        }),
      ),
    onSuccess: () => {
      notifyDone(
        decision === "accept" ? "The valid rows are imported." : "The import is cancelled.",
      );
      void client.invalidateQueries({ queryKey: ["datasets"] });
    },
    onError: notifyError,
  });
}

export function useRenameDataset(datasetId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (name: string) =>
      unwrap(
        await api.PATCH("/api/v1/datasets/{dataset_id}", {
          params: { path: { dataset_id: datasetId } },
          body: { name },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["datasets"] }),
  });
}

export function useDeleteDataset(datasetId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      const answer = await api.DELETE("/api/v1/datasets/{dataset_id}", {
        params: { path: { dataset_id: datasetId } },
      });
      if (answer.error !== undefined) unwrap(answer);
    },
    onSuccess: () => {
      notifyDone("The data set is deleted.");
      // Only the list: the page of what is gone would ask for it once more.
      void client.invalidateQueries({ queryKey: ["datasets", "list"] });
    },
  });
}
