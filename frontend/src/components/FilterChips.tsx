import classes from "./FilterChips.module.css";
import { count } from "./format";
import { Icon } from "./Icon";

export interface FilterChoice<Value extends string> {
  value: Value;
  label: string;
  /** How many things it leaves. */
  count?: number | null;
}

interface Props<Value extends string> {
  /** Names the group for screen readers. */
  label: string;
  choices: readonly FilterChoice<Value>[];
  /** The chosen one; null shows all. */
  value: Value | null;
  onChange: (value: Value | null) => void;
}

/** Filters as chips with counts. Pressing the chosen one again takes the filter away. */
export function FilterChips<Value extends string>({
  label,
  choices,
  value,
  onChange,
}: Props<Value>) {
  return (
    <fieldset className={classes.chips}>
      <legend className="visually-hidden">{label}</legend>
      {choices.map((choice) => {
        const chosen = choice.value === value;
        return (
          <button
            key={choice.value}
            type="button"
            className={classes.chip}
            aria-pressed={chosen}
            onClick={() => onChange(chosen ? null : choice.value)}
          >
            {choice.label}
            {choice.count !== undefined && choice.count !== null && (
              <span className={classes.count}>{count(choice.count)}</span>
            )}
            {chosen && <Icon name="close" size={12} />}
          </button>
        );
      })}
    </fieldset>
  );
}
