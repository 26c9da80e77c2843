import { queryOptions } from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";
import { numberText } from "./fields";
import { newMethod } from "./methods";
import { defaultValues, type FormValues, type Recipe } from "./values";

export type RankingSet = Schema<"RankingSetRead">;

/** Ratings to train on, and ratings to compare the models' scores with. */
export interface RankingChoice {
  setId: string | null;
  agreementSetId: string | null;
}

export const rankingSetOptions = (setId: string | null) =>
  queryOptions({
    queryKey: ["ranking sets", setId ?? ""],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/ranking-sets/{set_id}", {
          params: { path: { set_id: setId ?? "" } },
        }),
      ),
    enabled: setId !== null,
  });

export const rankingSetsOptions = () =>
  queryOptions({
    queryKey: ["ranking sets", "list", "all"],
    queryFn: async () => unwrap(await api.GET("/api/v1/ranking-sets")).items,
  });

/** The form of "Train with these ratings": ranking losses on the candidates that were rated. */
export function fromRankingSet(
  set: RankingSet,
  recipe: Recipe,
  modelId: string | null,
): FormValues {
  const values = defaultValues(recipe, set.dataset_version_id, set.base_model_id ?? modelId);
  return {
    ...values,
    name: `On ${set.name} v${set.version}`.slice(0, 120),
    splitId: set.split_id,
    methods: [
      newMethod("vft"),
      newMethod("vft-continued"),
      newMethod("aft", "none"),
      newMethod("aft", "detached"),
      newMethod("aft", "boundary"),
      newMethod("rrhf", "detached"),
      newMethod("pro", "detached"),
    ],
    choices: { ...values.choices, judge: "answer", feedback: "ranking" },
    numbers: { ...values.numbers, train_questions: numberText(set.train_questions) },
    ranking: { setId: set.id, agreementSetId: set.id },
  };
}
