import { TextInput } from "@mantine/core";
import { infoOf, type NumberPath } from "./fields";
import type { Problems } from "./spec";
import type { FormValues } from "./values";

export interface FieldProps {
  values: FormValues;
  problems: Problems;
  onChange: (change: Partial<FormValues>) => void;
}

/** A setting that is one number, as typed. */
export function NumberField({
  path,
  values,
  problems,
  onChange,
}: FieldProps & { path: NumberPath }) {
  const info = infoOf(path);
  return (
    <TextInput
      label={info.label}
      description={info.help}
      inputMode="decimal"
      placeholder={info.empty}
      value={values.numbers[path]}
      error={problems.get(path)}
      onChange={(event) =>
        onChange({ numbers: { ...values.numbers, [path]: event.currentTarget.value } })
      }
    />
  );
}
