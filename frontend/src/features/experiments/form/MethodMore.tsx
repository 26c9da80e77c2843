import { Select, TextInput } from "@mantine/core";
import { METHOD_NUMBERS, problemOf } from "./fields";
import {
  DISTINCT,
  isRanking,
  LONGEST_LABEL,
  type MethodChoice,
  methodLabel,
  SFT_ON,
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
      {isRanking(choice.name) && (
        <Select
          size="xs"
          label="VFT learns"
          description="What the VFT term beside the ranking loss is trained on."
          allowDeselect={false}
          data={SFT_ON}
          value={choice.sftOn}
          onChange={(value) => onChange({ sftOn: value as MethodChoice["sftOn"] })}
        />
      )}
      {choice.name === "rft" && (
        <Select
          size="xs"
          label="Right COTs added"
          description="Which count as distinct: every text, or every list of equations, its rule as first published."
          allowDeselect={false}
          data={DISTINCT}
          value={choice.distinct}
          onChange={(value) => onChange({ distinct: value as MethodChoice["distinct"] })}
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
