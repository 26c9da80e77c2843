import { MultiSelect, Select } from "@mantine/core";
import classes from "../Datasets.module.css";
import { type Column, choiceColumns, type Mapping, withChoices, withColumn } from "./reading";

const FIELDS: { column: Column; label: string; description: string }[] = [
  { column: "question", label: "Question", description: "Needed" },
  { column: "reference", label: "Reference COT", description: "What VFT learns from" },
  { column: "answer", label: "Gold answer", description: "Else the reference's end" },
  { column: "id", label: "Id", description: "A name no other row has" },
  { column: "part", label: "Part", description: "Says train, validation or test" },
  { column: "task", label: "Task", description: "Of each row" },
];

interface Props {
  columns: string[];
  mapping: Mapping | null;
  /** Whether each row may have a task of its own. */
  mixed: boolean;
  onChange: (mapping: Mapping | null) => void;
}

/** Which column of a file holds what. */
export function MappingFields({ columns, mapping, mixed, onChange }: Props) {
  return (
    <fieldset className={classes.mapping}>
      <legend>Columns</legend>
      {FIELDS.filter(({ column }) => column !== "task" || mixed).map(
        ({ column, label, description }) => (
          <Select
            key={column}
            label={label}
            description={description}
            size="xs"
            searchable
            clearable={column !== "question"}
            allowDeselect={column !== "question"}
            placeholder="none"
            disabled={column !== "question" && mapping === null}
            data={withThose(columns, mapping?.[column])}
            value={mapping?.[column] ?? null}
            onChange={(name) => onChange(withColumn(mapping, column, name))}
          />
        ),
      )}
      <MultiSelect
        label="Choices"
        description="A list, or one a letter"
        size="xs"
        searchable
        clearable
        placeholder={choiceColumns(mapping).length === 0 ? "none" : ""}
        disabled={mapping === null}
        data={withThose(columns, ...choiceColumns(mapping))}
        value={choiceColumns(mapping)}
        onChange={(names) => mapping !== null && onChange(withChoices(mapping, names))}
      />
    </fieldset>
  );
}

/** A recognised form may name a column inside another one, which is none of the file's own. */
function withThose(columns: string[], ...named: (string | null | undefined)[]): string[] {
  return [...new Set([...columns, ...named.filter((name) => name != null)])];
}
