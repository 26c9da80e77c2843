import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";
import { notifyDone, notifyError } from "@/components/notify";

export type Reproduction = Schema<"ReproductionRead">;
export type Reproduced = Schema<"ReproducedPreset">;

/** A list of experiments, so that what happens to one asks for it again. */
const keyOf = (seeds: readonly number[]) => ["experiments", "list", "reproduction", seeds];

export const reproductionOptions = (seeds: readonly number[]) =>
  queryOptions({
    queryKey: keyOf(seeds),
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/reproduction", { params: { query: { seeds: [...seeds] } } })),
    placeholderData: keepPreviousData,
  });

/** Start what is missing; with `retry` also what failed or was cancelled. */
export function useStartReproduction(seeds: readonly number[]) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (retry: boolean) =>
      unwrap(await api.POST("/api/v1/reproduction", { body: { seeds: [...seeds], retry } })),
    onSuccess: (found) => {
      client.setQueryData(keyOf(seeds), found);
      notifyDone("The paper is being reproduced; finished runs are taken over.");
      void client.invalidateQueries({ queryKey: ["experiments"] });
    },
    onError: notifyError,
  });
}

/** Every number as Markdown. */
export const reportHref = (seeds: readonly number[]): string =>
  `/api/v1/reproduction/report?${new URLSearchParams(seeds.map((seed) => ["seeds", String(seed)]))}`;
