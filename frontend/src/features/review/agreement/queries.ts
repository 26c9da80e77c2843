import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";

export type Agreement = Schema<"AgreementRead">;
export type Estimate = Schema<"EstimateRead">;
export type RaterPair = Schema<"RaterPair">;
export type Rater = Schema<"RaterRead">;
export type ConfusionTable = Schema<"Confusion">;
export type Disagreement = Schema<"Disagreement">;
export type Decide = Schema<"Decide">;

// Not under "review": every submit of everybody would have it all computed anew.
const key = (queueId: string, ...rest: unknown[]) => ["agreement", queueId, ...rest];

export const agreementOptions = (queueId: string) =>
  queryOptions({
    queryKey: key(queueId, "numbers"),
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/review-queues/{queue_id}/agreement", {
          params: { path: { queue_id: queueId } },
        }),
      ),
    staleTime: 20_000,
    refetchInterval: 60_000,
  });

export interface PairKeys {
  one: string;
  other: string;
}

export const confusionOptions = (queueId: string, pair: PairKeys) =>
  queryOptions({
    queryKey: key(queueId, "confusion", pair),
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/review-queues/{queue_id}/agreement/confusion", {
          params: { path: { queue_id: queueId }, query: { ...pair } },
        }),
      ),
    staleTime: 20_000,
  });

export const pairFigureOptions = (queueId: string, pair: PairKeys) =>
  queryOptions({
    queryKey: key(queueId, "figure", pair),
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/review-queues/{queue_id}/agreement/figure", {
          params: { path: { queue_id: queueId }, query: { ...pair } },
        }),
      ),
    staleTime: 20_000,
  });

export interface Wanted {
  /** A judge, rule or import to compare with people; undefined compares people with each other. */
  against: string | undefined;
  undecided: boolean;
}

export const fetchDisagreements = async (
  queueId: string,
  { against, undecided }: Wanted,
  after: string | null,
) =>
  unwrap(
    await api.GET("/api/v1/review-queues/{queue_id}/disagreements", {
      params: {
        path: { queue_id: queueId },
        query: { against: against ?? null, undecided, after, limit: 10 },
      },
    }),
  );

export const disagreementsKey = (queueId: string, wanted: Wanted) =>
  key(queueId, "disagreements", wanted);

/** Decides an item, or takes the decision back. */
export function useDecide(queueId: string, itemId: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: Decide | { undo: string }) => {
      const path = { queue_id: queueId, item_id: itemId };
      return "undo" in body
        ? unwrap(
            await api.POST("/api/v1/review-queues/{queue_id}/decisions/{item_id}/undo", {
              params: { path },
              body: { submission_id: body.undo },
            }),
          )
        : unwrap(
            await api.PUT("/api/v1/review-queues/{queue_id}/decisions/{item_id}", {
              params: { path },
              body,
            }),
          );
    },
    onSuccess: () => client.invalidateQueries({ queryKey: key(queueId) }),
  });
}
