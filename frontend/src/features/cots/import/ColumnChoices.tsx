import { MultiSelect, Select } from "@mantine/core";
import classes from "./Import.module.css";
import type { Columns } from "./queries";

const WHAT: { name: Exclude<keyof Columns, "scores">; label: string }[] = [
  { name: "text", label: "COT" },
  { name: "question", label: "Question's text" },
  { name: "question_id", label: "Question's id" },
  { name: "model", label: "Model" },
  { name: "rating", label: "Rating" },
  { name: "wrong_step", label: "First wrong step" },
  { name: "note", label: "Rater's words" },
  { name: "finish_reason", label: "Finish reason" },
  { name: "id", label: "COT's id" },
];

interface Props {
  names: string[];
  columns: Columns | null;
  onChange: (columns: Columns) => void;
}

/** Which column holds what. */
export function ColumnChoices({ names, columns, onChange }: Props) {
  return (
    <fieldset className={classes.columns}>
      <legend>Columns</legend>
      {WHAT.map(({ name, label }) => (
        <Select
          key={name}
          label={label}
          size="xs"
          clearable={name !== "text"}
          allowDeselect={name !== "text"}
          placeholder="none"
          data={names}
          value={columns?.[name] ?? null}
          onChange={(value) =>
            onChange({ ...(columns ?? { text: value ?? "", scores: [] }), [name]: value })
          }
        />
      ))}
      <MultiSelect
        label="Scores, nats a token"
        size="xs"
        clearable
        placeholder={(columns?.scores ?? []).length === 0 ? "none" : ""}
        maxValues={20}
        data={names}
        value={columns?.scores ?? []}
        onChange={(scores) => onChange({ ...(columns ?? { text: "" }), scores })}
      />
    </fieldset>
  );
}
