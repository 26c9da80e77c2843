import { MultiSelect } from "@mantine/core";
import type { DatasetRow, ModelRow, Spec } from "../queries";
import classes from "./NewExperimentPage.module.css";
import type { Problems } from "./spec";

/** What an experiment may have beside its first data set and model. */
export type Places = Partial<Pick<Spec, "more_datasets" | "more_models" | "also_test_on">>;

interface Props {
  places: Places;
  /** What cannot be chosen, because the experiment has it already. */
  taken: {
    versions: readonly (string | null)[];
    models: readonly (string | null)[];
    tested?: readonly string[];
  };
  datasets: readonly DatasetRow[];
  models: readonly ModelRow[];
  problems: Problems;
  onChange: (changed: Places) => void;
}

/** Further data sets and models: the same methods and seeds on each data set, from each model. */
export function MorePlaces({ places, taken, datasets, models, problems, onChange }: Props) {
  const versions = datasets.flatMap((one) =>
    one.newest === null
      ? []
      : [{ value: one.newest.id, label: `${one.name} v${one.newest.number}` }],
  );
  const chosen = (places.more_datasets ?? []).map((one) => one.dataset_version_id);
  const tested = (places.also_test_on ?? []).map((one) => one.dataset_version_id);
  const count = chosen.length + tested.length + (places.more_models ?? []).length;
  const other = <T extends { value: string }>(items: T[], there: readonly (string | null)[]) =>
    items.filter((one) => !there.includes(one.value));
  return (
    <details className={classes.advanced} open={count > 0}>
      <summary>More data sets and models</summary>
      <div className={classes.fields}>
        <MultiSelect
          label="More data sets"
          description="Every method is trained and tested on each of them as well, with its newest split."
          data={other(versions, taken.versions)}
          value={chosen}
          error={problems.get("more_datasets")}
          onChange={(ids) => onChange({ more_datasets: withSplits(ids, places.more_datasets) })}
          clearable
        />
        <MultiSelect
          label="More base models"
          description="Everything is repeated from each of them, on each data set."
          data={other(
            models.map((one) => ({ value: one.id, label: one.name })),
            taken.models,
          )}
          value={[...(places.more_models ?? [])]}
          error={problems.get("more_models")}
          onChange={(more_models) => onChange({ more_models })}
          clearable
        />
        <MultiSelect
          label="Also test on"
          description="The trained models answer these test questions too, without training on them."
          data={other(versions, taken.tested ?? [])}
          value={tested}
          error={problems.get("also_test_on")}
          onChange={(ids) => onChange({ also_test_on: withSplits(ids, places.also_test_on) })}
          clearable
        />
      </div>
    </details>
  );
}

/** Data sets by version id; a split that one had stays with it. */
export function withSplits(
  ids: readonly string[],
  before: Spec["more_datasets"] | undefined,
): NonNullable<Spec["more_datasets"]> {
  return ids.map(
    (id) =>
      before?.find((one) => one.dataset_version_id === id) ?? {
        dataset_version_id: id,
        split_id: null,
      },
  );
}
