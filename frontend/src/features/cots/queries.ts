import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";
import { notifyError } from "@/components/notify";
import type { CotSort, QuestionSort } from "./selection";

export type CandidateSet = Schema<"CandidateSet">;
export type Candidate = Schema<"CandidateRead">;
export type QuestionGroup = Schema<"QuestionGroup">;
export type QuestionRow = Schema<"QuestionRow">;
export type CandidateRow = Schema<"CandidateRow">;
export type SavedView = Schema<"SavedViewRead">;
export type VerdictName = Candidate["verdict"];

export const experimentsOptions = () =>
  queryOptions({
    queryKey: ["experiments", "list", "to look at"],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/experiments", { params: { query: { limit: 100 } } })),
  });

export const setsOptions = (experimentId: string) =>
  queryOptions({
    queryKey: ["cots", experimentId, "sets"],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/experiments/{experiment_id}/candidate-sets", {
          params: { path: { experiment_id: experimentId } },
        }),
      ).sets,
  });

/** What lists and exports are filtered by, as the API names it. */
export interface ListFilter {
  verdict?: VerdictName;
  q?: string;
  /** Model run whose scores are meant. */
  model?: string;
  /** The model that an imported file names. */
  source_model?: string;
  duplicate?: boolean;
  rated?: boolean;
  violated?: boolean;
  min_tokens?: number;
  max_tokens?: number;
  min_rating?: number;
  max_rating?: number;
  min_disagreement?: number;
  min_score?: number;
  max_score?: number;
  min_margin?: number;
  max_margin?: number;
}

/** A list's filter with its order. */
export interface Listing {
  filter: ListFilter;
  sort: string;
  descending: boolean | undefined;
}

const PAGE = 100;

function pageQuery({ filter, sort, descending }: Listing, after: string | null) {
  return {
    ...filter,
    limit: PAGE,
    ...(descending !== undefined && { descending }),
    ...(after !== null && { after }),
    sort,
  };
}

export const questionsOptions = (setId: string, listing: Listing) =>
  infiniteQueryOptions({
    queryKey: ["cots", setId, "questions", listing],
    queryFn: async ({ pageParam }) =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}/questions", {
          params: {
            path: { run_id: setId },
            query: pageQuery(listing, pageParam) as { sort: QuestionSort },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_after,
  });

export const candidatesOptions = (setId: string, listing: Listing) =>
  infiniteQueryOptions({
    queryKey: ["cots", setId, "candidates", listing],
    queryFn: async ({ pageParam }) =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}/candidates", {
          params: {
            path: { run_id: setId },
            query: pageQuery(listing, pageParam) as { sort: CotSort },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_after,
  });

/** Ids of all COTs that pass the filter, at most 10,000. */
export const fetchIds = async (setId: string, filter: ListFilter) =>
  unwrap(
    await api.GET("/api/v1/candidate-sets/{run_id}/candidate-ids", {
      params: { path: { run_id: setId }, query: filter },
    }),
  );

export const allSetsOptions = (kind: CandidateSet["kind"] | null) =>
  infiniteQueryOptions({
    queryKey: ["cots", "all sets", kind],
    queryFn: async ({ pageParam }) =>
      unwrap(
        await api.GET("/api/v1/candidate-sets", {
          params: {
            query: {
              limit: PAGE,
              ...(kind !== null && { kind }),
              ...(pageParam !== null && { after: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_after,
  });

export const setOptions = (setId: string) =>
  queryOptions({
    queryKey: ["cots", setId, "set"],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}", { params: { path: { run_id: setId } } }),
      ),
  });

export const viewsOptions = (experimentId: string | null) =>
  queryOptions({
    queryKey: ["cots", "views", experimentId],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/saved-views", {
          params: { query: experimentId === null ? {} : { experiment_id: experimentId } },
        }),
      ).views,
  });

/** Saves, renames, deletes and takes back views. */
export function useViews() {
  const client = useQueryClient();
  const onSuccess = () => void client.invalidateQueries({ queryKey: ["cots", "views"] });
  const at = (view_id: string) => ({ params: { path: { view_id } } });
  return {
    create: useMutation({
      mutationFn: async (body: Schema<"SavedViewCreate">) =>
        unwrap(await api.POST("/api/v1/saved-views", { body })),
      onSuccess,
      onError: notifyError,
    }),
    rename: useMutation({
      mutationFn: async ({ id, name }: { id: string; name: string }) =>
        unwrap(await api.PATCH("/api/v1/saved-views/{view_id}", { ...at(id), body: { name } })),
      onSuccess,
      onError: notifyError,
    }),
    remove: useMutation({
      mutationFn: async (id: string) =>
        unwrap(await api.DELETE("/api/v1/saved-views/{view_id}", at(id))),
      onSuccess,
      onError: notifyError,
    }),
    restore: useMutation({
      mutationFn: async (id: string) =>
        unwrap(await api.POST("/api/v1/saved-views/{view_id}/restore", at(id))),
      onSuccess,
      onError: notifyError,
    }),
  };
}

export const groupOptions = (setId: string, exampleId: number) =>
  queryOptions({
    queryKey: ["cots", setId, "group", exampleId],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}/questions/{example_id}", {
          params: { path: { run_id: setId, example_id: exampleId } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
