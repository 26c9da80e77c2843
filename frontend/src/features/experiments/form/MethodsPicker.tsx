import { ActionIcon, Button, Select } from "@mantine/core";
import { useState } from "react";
import { Icon } from "@/components/Icon";
import { MethodName as MethodMark } from "@/components/MethodMark";
import { MethodMore } from "./MethodMore";
import { MethodSettings } from "./MethodSettings";
import {
  CONSTRAINTS,
  type Constraint,
  FAMILIES,
  hasMore,
  isRanking,
  type MethodChoice,
  type MethodName,
  methodLabel,
  methodProblems,
  newMethod,
  toMethod,
  withMethod,
} from "./methods";
import classes from "./NewExperimentPage.module.css";
import type { Problems } from "./spec";

interface Props {
  methods: MethodChoice[];
  problems: Problems;
  onChange: (methods: MethodChoice[]) => void;
}

/** The chosen methods with the settings that belong to each, and a way to add one. */
export function MethodsPicker({ methods, problems, onChange }: Props) {
  const [family, setFamily] = useState<MethodName>("aft");
  const [constraint, setConstraint] = useState<Constraint>("boundary");
  const [shown, setShown] = useState<ReadonlySet<string>>(
    () => new Set(methods.filter(hasMore).map((one) => one.id)),
  );
  const toggle = (id: string) =>
    setShown((before) => {
      const next = new Set(before);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const set = (id: string, change: Partial<MethodChoice>) =>
    onChange(methods.map((one) => (one.id === id ? { ...one, ...change } : one)));
  return (
    <>
      <ul className={classes.methods} aria-label="Methods">
        {methods.map((one, index) => {
          const own = methodProblems(one).join(" ");
          return (
            <MethodRow
              key={one.id}
              choice={one}
              opened={shown.has(one.id)}
              wrong={own === "" ? problems.get(`methods.${index}`) : own}
              onToggle={() => toggle(one.id)}
              onRemove={() => onChange(methods.filter((other) => other.id !== one.id))}
              onChange={(change) => set(one.id, change)}
            />
          );
        })}
      </ul>
      <div className={classes.add}>
        <Select
          label="Add a method"
          allowDeselect={false}
          data={FAMILIES.map((one) => ({ value: one.name, label: one.label }))}
          value={family}
          onChange={(value) => value !== null && setFamily(value as MethodName)}
        />
        {isRanking(family) && (
          <Select
            label="Constraint"
            allowDeselect={false}
            data={CONSTRAINTS.map((one) => one.name)}
            value={constraint}
            onChange={(value) => value !== null && setConstraint(value as Constraint)}
          />
        )}
        <Button
          variant="default"
          onClick={() =>
            onChange(
              withMethod(methods, newMethod(family, isRanking(family) ? constraint : "none")),
            )
          }
        >
          Add
        </Button>
      </div>
      {problems.has("methods") && (
        <p className={classes.problem} role="alert">
          {problems.get("methods")}
        </p>
      )}
    </>
  );
}

interface RowProps {
  choice: MethodChoice;
  opened: boolean;
  wrong: string | undefined;
  onToggle: () => void;
  onRemove: () => void;
  onChange: (change: Partial<MethodChoice>) => void;
}

function MethodRow({ choice, opened, wrong, onToggle, onRemove, onChange }: RowProps) {
  const label = methodLabel(toMethod(choice));
  return (
    <li>
      <div className={classes.method}>
        <span className={classes.methodName}>
          <MethodMark label={label} family={choice.name} constraint={choice.constraint} equation />
        </span>
        <MethodSettings choice={choice} label={label} onChange={onChange} />
        <span className={classes.buttons}>
          <ActionIcon
            variant="subtle"
            aria-label={`More settings of ${label}`}
            aria-expanded={opened}
            onClick={onToggle}
          >
            <Icon name={opened ? "chevron-up" : "chevron-down"} size={14} />
          </ActionIcon>
          <ActionIcon variant="subtle" aria-label={`Remove ${label}`} onClick={onRemove}>
            <Icon name="close" size={14} />
          </ActionIcon>
        </span>
      </div>
      {opened && <MethodMore choice={choice} onChange={onChange} />}
      {wrong !== undefined && <p className={classes.problem}>{wrong}</p>}
    </li>
  );
}
