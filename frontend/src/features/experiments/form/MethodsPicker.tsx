import { ActionIcon, Button, Select, TextInput } from "@mantine/core";
import { Fragment, useState } from "react";
import { Icon } from "@/components/Icon";
import { MethodName as MethodMark } from "@/components/MethodMark";
import { METHOD_NUMBERS, problemOf } from "./fields";
import { MethodMore } from "./MethodMore";
import {
  BOUNDARY_RULES,
  CONSTRAINTS,
  type Constraint,
  DISTINCT,
  FAMILIES,
  hasBeta,
  hasMore,
  isRanking,
  type MethodChoice,
  type MethodName,
  methodLabel,
  methodProblems,
  newMethod,
  SFT_ON,
  toMethod,
  usesCandidates,
  withMethod,
} from "./methods";
import classes from "./NewExperimentPage.module.css";
import type { Problems } from "./spec";

interface Props {
  methods: MethodChoice[];
  problems: Problems;
  onChange: (methods: MethodChoice[]) => void;
}

const takes = (field: "k" | "negativeNoise", name: MethodName): boolean =>
  field === "k" ? usesCandidates(name) : isRanking(name) && name !== "dpo";

const FEEDBACK = [
  { value: "", label: "as below" },
  { value: "binary", label: "by answer" },
  { value: "ranking", label: "ratings" },
];

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
      <div className={classes.scroll}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">Method</th>
              <th scope="col">Feedback, VFT learns</th>
              <th scope="col">β</th>
              <th scope="col">k</th>
              <th scope="col">α</th>
              <th scope="col">
                <span className="visually-hidden">More settings, remove</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {methods.map((one, index) => {
              const label = methodLabel(toMethod(one));
              const own = methodProblems(one).join(" ");
              const wrong = own === "" ? problems.get(`methods.${index}`) : own;
              const isBoundary = isRanking(one.name) && one.constraint === "boundary";
              return (
                <Fragment key={one.id}>
                  <tr
                    className={
                      shown.has(one.id) || wrong !== undefined ? classes.opened : undefined
                    }
                  >
                    <td>
                      <MethodMark
                        label={label}
                        family={one.name}
                        constraint={one.constraint}
                        equation
                      />
                    </td>
                    <td>
                      <div className={classes.stack}>
                        {isRanking(one.name) && (
                          <Select
                            size="xs"
                            w={110}
                            comboboxProps={{ width: 120, position: "bottom-start" }}
                            aria-label={`Feedback of ${label}`}
                            allowDeselect={false}
                            data={FEEDBACK}
                            value={one.feedback}
                            onChange={(value) =>
                              set(one.id, { feedback: (value ?? "") as MethodChoice["feedback"] })
                            }
                          />
                        )}
                        {one.name === "rft" && (
                          <Select
                            size="xs"
                            w={110}
                            comboboxProps={{ width: 160, position: "bottom-start" }}
                            aria-label={`Right COTs that ${label} learns`}
                            allowDeselect={false}
                            data={DISTINCT}
                            value={one.distinct}
                            onChange={(value) =>
                              set(one.id, { distinct: value as MethodChoice["distinct"] })
                            }
                          />
                        )}
                        {isRanking(one.name) && (
                          <Select
                            size="xs"
                            w={110}
                            comboboxProps={{ width: 160, position: "bottom-start" }}
                            aria-label={`What the VFT term of ${label} learns`}
                            allowDeselect={false}
                            data={SFT_ON}
                            value={one.sftOn}
                            onChange={(value) =>
                              set(one.id, { sftOn: value as MethodChoice["sftOn"] })
                            }
                          />
                        )}
                      </div>
                    </td>
                    <td>
                      <div className={classes.stack}>
                        {isBoundary && (
                          <Select
                            size="xs"
                            w={84}
                            comboboxProps={{ width: 150, position: "bottom-start" }}
                            aria-label={`Where the boundary of ${label} lies`}
                            allowDeselect={false}
                            data={BOUNDARY_RULES}
                            value={one.boundaryRule}
                            onChange={(value) =>
                              set(one.id, { boundaryRule: value as MethodChoice["boundaryRule"] })
                            }
                          />
                        )}
                        {isBoundary && one.boundaryRule === "beta" && (
                          <TextInput
                            size="xs"
                            w={84}
                            aria-label={`β of the boundary of ${label}`}
                            placeholder="0.15"
                            value={one.boundaryBeta}
                            error={
                              problemOf(one.boundaryBeta, METHOD_NUMBERS.boundary_beta) !==
                              undefined
                            }
                            onChange={(event) =>
                              set(one.id, { boundaryBeta: event.currentTarget.value })
                            }
                          />
                        )}
                        {one.name === "vft-continued" && (
                          <TextInput
                            size="xs"
                            w={88}
                            aria-label={`Times the epochs of ${label}`}
                            title={METHOD_NUMBERS.epochs_factor.help}
                            placeholder={METHOD_NUMBERS.epochs_factor.empty}
                            value={one.epochsFactor}
                            error={
                              problemOf(one.epochsFactor, METHOD_NUMBERS.epochs_factor) !==
                              undefined
                            }
                            onChange={(event) =>
                              set(one.id, { epochsFactor: event.currentTarget.value })
                            }
                          />
                        )}
                        {hasBeta(one.name) && (
                          <TextInput
                            size="xs"
                            w={84}
                            aria-label={`${one.name === "dpo" ? "β" : "Gradient factor"} of ${label}`}
                            placeholder="1"
                            value={one.beta}
                            error={problemOf(one.beta, METHOD_NUMBERS.beta) !== undefined}
                            onChange={(event) => set(one.id, { beta: event.currentTarget.value })}
                          />
                        )}
                      </div>
                    </td>
                    {(["k", "negativeNoise"] as const).map((field) => (
                      <td key={field}>
                        {takes(field, one.name) && (
                          <TextInput
                            size="xs"
                            w={field === "k" ? 42 : 54}
                            aria-label={`${field === "k" ? "k" : "α"} of ${label}`}
                            title={METHOD_NUMBERS[field === "k" ? "k" : "negative_noise"].help}
                            placeholder={
                              METHOD_NUMBERS[field === "k" ? "k" : "negative_noise"].empty
                            }
                            value={one[field]}
                            error={
                              problemOf(
                                one[field],
                                METHOD_NUMBERS[field === "k" ? "k" : "negative_noise"],
                              ) !== undefined
                            }
                            onChange={(event) =>
                              set(one.id, { [field]: event.currentTarget.value })
                            }
                          />
                        )}
                      </td>
                    ))}
                    <td>
                      <div className={classes.stack}>
                        <ActionIcon
                          variant="subtle"
                          aria-label={`More settings of ${label}`}
                          aria-expanded={shown.has(one.id)}
                          onClick={() => toggle(one.id)}
                        >
                          <Icon
                            name={shown.has(one.id) ? "chevron-up" : "chevron-down"}
                            size={14}
                          />
                        </ActionIcon>
                        <ActionIcon
                          variant="subtle"
                          aria-label={`Remove ${label}`}
                          onClick={() => onChange(methods.filter((other) => other.id !== one.id))}
                        >
                          <Icon name="close" size={14} />
                        </ActionIcon>
                      </div>
                    </td>
                  </tr>
                  {(shown.has(one.id) || wrong !== undefined) && (
                    <tr>
                      <td colSpan={6}>
                        {shown.has(one.id) && (
                          <MethodMore choice={one} onChange={(change) => set(one.id, change)} />
                        )}
                        {wrong !== undefined && <p className={classes.problem}>{wrong}</p>}
                      </td>
                    </tr>
                  )}
                </Fragment>
              );
            })}
          </tbody>
        </table>
      </div>
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
