import { MultiSelect, TagsInput } from "@mantine/core";
import { LISTS, type ListPath, type NumberPath, TRACKERS } from "./fields";
import { type FieldProps, NumberField } from "./NumberField";

/** The numbers that have their place here. */
export const MEASURES: readonly NumberPath[] = ["path_temperature", "beta_search.questions"];

/** Votes over sampled paths, the search of β, and where else the numbers go. */
export function MeasuresAndTrackers(props: FieldProps) {
  const { values, problems, onChange } = props;
  const list = (path: ListPath) => (
    <TagsInput
      label={LISTS[path].label}
      description={LISTS[path].help}
      value={values.lists[path]}
      error={problems.get(path)}
      onChange={(texts) => onChange({ lists: { ...values.lists, [path]: texts } })}
    />
  );
  return (
    <>
      {values.methods.some((one) => one.boundaryRule === "search") && (
        <>
          {list("beta_search.betas")}
          {list("beta_search.seeds")}
          <NumberField path="beta_search.questions" {...props} />
        </>
      )}
      {list("self_consistency")}
      {list("pass_at_k")}
      <NumberField path="path_temperature" {...props} />
      <MultiSelect
        label="Trackers"
        description="Where else curves and results go, in files on this machine: nothing is sent."
        data={TRACKERS}
        value={values.trackers}
        error={problems.get("trackers")}
        onChange={(trackers) => onChange({ trackers })}
        clearable
      />
    </>
  );
}
