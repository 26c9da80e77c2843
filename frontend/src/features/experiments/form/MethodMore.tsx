import { Select, TextInput } from "@mantine/core";
import { METHOD_NUMBERS, problemOf } from "./fields";
import {
  isRanking,
  LONGEST_LABEL,
  type MethodChoice,
  methodLabel,
  TEMPERATURES,
  toMethod,
} from "./methods";
import classes from "./NewExperimentPage.module.css";

interface Props {
  choice: MethodChoice;
  onChange: (change: Partial<MethodChoice>) => void;
}

/** A method's settings that few experiments need, below its row. */
export function MethodMore({ choice, onChange }: Props) {
  return (
    <div className={classes.fields}>
      <TextInput
        size="xs"
        label="Name"
        description="A name of your own in tables, charts and files. Empty: the paper's, with its settings."
        placeholder={methodLabel(toMethod({ ...choice, label: "" }))}
        value={choice.label}
        error={choice.label.trim().length > LONGEST_LABEL}
        onChange={(event) => onChange({ label: event.currentTarget.value })}
      />
      {isRanking(choice.name) && (
        <TextInput
          size="xs"
          inputMode="decimal"
          label={METHOD_NUMBERS.weight.label}
          description={METHOD_NUMBERS.weight.help}
          placeholder={METHOD_NUMBERS.weight.empty}
          value={choice.weight}
          error={problemOf(choice.weight, METHOD_NUMBERS.weight) !== undefined}
          onChange={(event) => onChange({ weight: event.currentTarget.value })}
        />
      )}
      {choice.name === "pro" && (
        <Select
          size="xs"
          label="Temperatures"
          description="Scale by rating differences (Eq. 21), or set every temperature to 1 (Table 11)."
          allowDeselect={false}
          data={TEMPERATURES}
          value={String(choice.temperature)}
          onChange={(value) => onChange({ temperature: value === "true" })}
        />
      )}
    </div>
  );
}
