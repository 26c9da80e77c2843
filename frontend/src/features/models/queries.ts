import {
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";
import { notifyDone, notifyError } from "@/components/notify";

export type Model = Schema<"ModelSummary">;

export const modelsOptions = () =>
  queryOptions({
    queryKey: ["models", "list"],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/models", { params: { query: { limit: 200 } } })).items,
  });

export function useMakeModel() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (model_id: string) =>
      unwrap(await api.POST("/api/v1/models/{model_id}/make", { params: { path: { model_id } } })),
    onSuccess: () => {
      notifyDone("The model is being made; its run shows the progress.");
      void client.invalidateQueries({ queryKey: ["models"] });
    },
    onError: notifyError,
  });
}

export function useAddModel() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: Schema<"ModelCreate">) =>
      unwrap(await api.POST("/api/v1/models", { body })),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["models"] }),
  });
}

export const datasetsOptions = () =>
  queryOptions({
    queryKey: ["datasets", "list", "to choose"],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/datasets", { params: { query: { limit: 200 } } })).items,
  });

export function useMakeTiny() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: Schema<"TinyModelCreate">) =>
      unwrap(await api.POST("/api/v1/models/tiny", { body })),
    onSuccess: () => {
      notifyDone("The model is being made; its run shows the progress.");
      void client.invalidateQueries({ queryKey: ["models"] });
    },
  });
}

export type Checkpoint = Schema<"CheckpointLine">;

/** Final models of training runs, newest first. */
export const checkpointsOptions = () =>
  infiniteQueryOptions({
    queryKey: ["models", "list", "trained"],
    queryFn: async ({ pageParam }) => {
      const query = { limit: 100, ...(pageParam !== null && { after: pageParam }) };
      return unwrap(await api.GET("/api/v1/checkpoints", { params: { query } }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_after,
  });

export type ExportForm = Checkpoint["exports"][number];

/** A Hugging Face directory with a model card, as a zip. */
export const exportHref = (checkpointId: string, form: ExportForm): string =>
  `/api/v1/checkpoints/${checkpointId}/export${form === "merged" ? "?merged=true" : ""}`;

export function useDeleteCheckpoint() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (checkpointId: string) =>
      unwrap(
        await api.DELETE("/api/v1/checkpoints/{checkpoint_id}", {
          // The dialog has named what reads it.
          params: { path: { checkpoint_id: checkpointId }, query: { confirmed: true } },
        }),
      ),
    onSuccess: () => {
      notifyDone("The model is deleted.");
      void client.invalidateQueries({ queryKey: ["models"] });
    },
  });
}
