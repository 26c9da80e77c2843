import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";

export type CandidateSet = Schema<"CandidateSet">;
export type Candidate = Schema<"CandidateRead">;
export type QuestionGroup = Schema<"QuestionGroup">;
export type QuestionRow = Schema<"QuestionRow">;
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

export interface QuestionsFilter {
  verdict: VerdictName | undefined;
  /** Only questions with a violated pair under the model. */
  violated: boolean;
  /** Model run whose scores count violated pairs. */
  model: string | undefined;
  text: string | undefined;
}

export const questionsOptions = (setId: string, filter: QuestionsFilter) =>
  infiniteQueryOptions({
    queryKey: ["cots", setId, "questions", filter],
    queryFn: async ({ pageParam }) => {
      const query = {
        limit: 100,
        ...(filter.verdict !== undefined && { verdict: filter.verdict }),
        ...(filter.model !== undefined && { model: filter.model }),
        ...(filter.violated && filter.model !== undefined && { violated: true }),
        ...(filter.text !== undefined && { q: filter.text }),
        ...(pageParam !== null && { after: pageParam }),
      };
      return unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}/questions", {
          params: { path: { run_id: setId }, query },
        }),
      );
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_after,
  });

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
