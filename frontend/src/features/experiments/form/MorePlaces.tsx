import { MultiSelect } from "@mantine/core";
import type { DatasetRow, ModelRow, Spec } from "../queries";
import classes from "./NewExperimentPage.module.css";
import type { Problems } from "./spec";
import type { FormValues } from "./values";

interface Props {
  values: FormValues;
  datasets: readonly DatasetRow[];
  models: readonly ModelRow[];
  problems: Problems;
  onChange: (kept: Partial<Spec>) => void;
}

/** Further data sets and models: the same methods and seeds on each data set, from each model. */
export function MorePlaces({ values, datasets, models, problems, onChange }: Props) {
  const { kept } = values;
  const versions = datasets.flatMap((one) =>
    one.newest === null
      ? []
      : [{ value: one.newest.id, label: `${one.name} v${one.newest.number}` }],
  );
  const chosen = (kept.more_datasets ?? []).map((one) => one.dataset_version_id);
  const tested = (kept.also_test_on ?? []).map((one) => one.dataset_version_id);
  const count = chosen.length + tested.length + (kept.more_models ?? []).length;
  const other = <T extends { value: string }>(items: T[], first: string | null) =>
    items.filter((one) => one.value !== first);
  return (
    <details className={classes.advanced} open={count > 0}>
      <summary>More data sets and models</summary>
      <div className={classes.fields}>
        <MultiSelect
          label="More data sets"
          description="Every method is trained and tested on each of them as well, with its newest split."
          data={other(versions, values.versionId)}
          value={chosen}
          error={problems.get("more_datasets")}
          onChange={(ids) => onChange({ more_datasets: withSplits(ids, kept.more_datasets) })}
          clearable
        />
        <MultiSelect
          label="More base models"
          description="Everything is repeated from each of them, on each data set."
          data={other(
            models.map((one) => ({ value: one.id, label: one.name })),
            values.modelId,
          )}
          value={[...(kept.more_models ?? [])]}
          error={problems.get("more_models")}
          onChange={(more_models) => onChange({ more_models })}
          clearable
        />
        <MultiSelect
          label="Also test on"
          description="The trained models answer these test questions too, without training on them."
          data={versions}
          value={tested}
          error={problems.get("also_test_on")}
          onChange={(ids) => onChange({ also_test_on: withSplits(ids, kept.also_test_on) })}
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
