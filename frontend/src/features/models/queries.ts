import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";
import { notifyDone, notifyError } from "@/components/notify";

export type Model = Schema<"ModelSummary">;

export const modelsOptions = () =>
  queryOptions({
    queryKey: ["models", "list"],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/models", { params: { query: { limit: 200 } } })).items,
  });

export function useMakeBuiltin() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => unwrap(await api.POST("/api/v1/models/builtin/make")),
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
