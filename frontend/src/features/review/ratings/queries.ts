import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";

export type RankingSet = Schema<"RankingSetRead">;
export type RankingSetCreate = Schema<"RankingSetCreate">;
export type RankingStatistics = Schema<"RankingStatisticsRead">;
export type AvailableRater = Schema<"AvailableRater">;

/** Whose COTs: a candidate set, or those of a queue. */
export type Source = { run_id: string } | { queue_id: string };

export const rankingSetsOptions = (source: Source) =>
  queryOptions({
    queryKey: ["ranking sets", "list", source],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/ranking-sets", { params: { query: source } })).items,
  });

export const ratersOptions = (source: Source) =>
  queryOptions({
    queryKey: ["ranking sets", "raters", source],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/ranking-sets/raters", { params: { query: source } })),
  });

export const rankingPreviewOptions = (body: RankingSetCreate | null) =>
  queryOptions({
    queryKey: ["ranking sets", "preview", body],
    queryFn: async () => {
      if (body === null) return null;
      return unwrap(await api.POST("/api/v1/ranking-sets/preview", { body }));
    },
    enabled: body !== null,
    retry: false,
  });

export const judgesOptions = () =>
  queryOptions({
    queryKey: ["judges", "list"],
    queryFn: async () => unwrap(await api.GET("/api/v1/judges")).items,
  });

export function useCreateRankingSet() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: RankingSetCreate) =>
      unwrap(await api.POST("/api/v1/ranking-sets", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["ranking sets"] }),
  });
}

export type Scale = Schema<"RatingImportCreate">["scale"];
type ImportBody = Schema<"RatingImportCreate">;

export const importsOptions = (source: Source) =>
  queryOptions({
    queryKey: ["ranking sets", "imports", source],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/rating-imports", { params: { query: source } })),
  });

/** Sends a file and asks what an import of it would store. */
export function useCheckImport(source: Source) {
  return useMutation({
    mutationFn: async ({ file, scale, rater }: { file: File; scale: Scale; rater: string }) => {
      const sent = unwrap(
        await api.POST("/api/v1/uploads", {
          params: { query: { filename: file.name } },
          body: file as unknown as string,
          bodySerializer: (body: unknown) => body as BodyInit,
          headers: { "Content-Type": "application/octet-stream" },
        }),
      );
      const body: ImportBody = {
        ...source,
        upload_id: sent.id,
        scale,
        rater,
        request_id: crypto.randomUUID().replaceAll("-", ""),
        skip_errors: false,
      };
      return { body, report: unwrap(await api.POST("/api/v1/rating-imports/check", { body })) };
    },
  });
}

export function useImportRatings() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: ImportBody) =>
      unwrap(await api.POST("/api/v1/rating-imports", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["ranking sets"] }),
  });
}

export function useUndoImport() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (importId: string) =>
      unwrap(
        await api.POST("/api/v1/rating-imports/{import_id}/undo", {
          params: { path: { import_id: importId } },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["ranking sets"] }),
  });
}
