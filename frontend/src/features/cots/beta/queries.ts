import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";

export type BetaQuestion = Schema<"BetaQuestion">;
export type BetaCandidate = Schema<"BetaCandidate">;
export type BetaOverview = Schema<"BetaOverview">;
export type ConstraintName = "none" | "detached" | "boundary";
export const CONSTRAINTS: readonly ConstraintName[] = ["none", "detached", "boundary"];

/** What is looked at: a model's scores, what makes the pairs, and β. */
export interface BetaAsked {
  model: string;
  feedback: string;
  beta: number;
}

export const choicesOptions = (setId: string) =>
  queryOptions({
    queryKey: ["cots", setId, "beta choices"],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}/beta/choices", {
          params: { path: { run_id: setId } },
        }),
      ),
  });

export const overviewOptions = (setId: string, asked: BetaAsked) =>
  queryOptions({
    queryKey: ["cots", setId, "beta", asked],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}/beta", {
          params: { path: { run_id: setId }, query: asked },
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const betaFigureOptions = (setId: string, asked: BetaAsked) =>
  queryOptions({
    queryKey: ["cots", setId, "beta figure", asked],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}/beta/figure", {
          params: { path: { run_id: setId }, query: asked },
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const betaQuestionsOptions = (setId: string, asked: BetaAsked, onlyUnder: boolean) =>
  infiniteQueryOptions({
    queryKey: ["cots", setId, "beta questions", asked, onlyUnder],
    queryFn: async ({ pageParam }) =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}/beta/questions", {
          params: {
            path: { run_id: setId },
            query: { ...asked, only_under: onlyUnder, limit: 10, after: pageParam },
          },
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => (page.next_after === null ? null : Number(page.next_after)),
    placeholderData: keepPreviousData,
  });

export const betaQuestionOptions = (setId: string, exampleId: number, asked: BetaAsked) =>
  queryOptions({
    queryKey: ["cots", setId, "beta question", exampleId, asked],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}/beta/questions/{example_id}", {
          params: { path: { run_id: setId, example_id: exampleId }, query: asked },
        }),
      ),
    placeholderData: keepPreviousData,
  });
