import { Select, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { METHOD_NUMBERS, problemOf } from "./fields";
import {
  BOUNDARY_RULES,
  hasBeta,
  isRanking,
  type MethodChoice,
  type MethodName,
  usesCandidates,
} from "./methods";
import classes from "./NewExperimentPage.module.css";

interface Props {
  choice: MethodChoice;
  /** The method's name, for who hears the page. */
  label: string;
  onChange: (change: Partial<MethodChoice>) => void;
}

const takesNoise = (name: MethodName): boolean => isRanking(name) && name !== "dpo";

const FEEDBACK = [
  { value: "", label: "as below" },
  { value: "binary", label: "by answer" },
  { value: "ranking", label: "ratings" },
];

/** The settings of a method that experiments are about, each under its name. */
export function MethodSettings({ choice, label, onChange }: Props) {
  const isBoundary = isRanking(choice.name) && choice.constraint === "boundary";
  const number = (
    field: "boundaryBeta" | "beta" | "k" | "negativeNoise" | "epochsFactor",
    caption: string,
    name: string,
    info: (typeof METHOD_NUMBERS)[keyof typeof METHOD_NUMBERS],
  ) => (
    <Setting caption={caption}>
      <TextInput
        size="xs"
        w={58}
        inputMode="decimal"
        aria-label={`${name} of ${label}`}
        title={info.help}
        placeholder={info.empty}
        value={choice[field]}
        error={problemOf(choice[field], info) !== undefined}
        onChange={(event) => onChange({ [field]: event.currentTarget.value })}
      />
    </Setting>
  );
  return (
    <div className={classes.settings}>
      {isRanking(choice.name) && (
        <Setting caption="feedback">
          <Select
            size="xs"
            w={104}
            aria-label={`Feedback of ${label}`}
            allowDeselect={false}
            data={FEEDBACK}
            value={choice.feedback}
            onChange={(value) => onChange({ feedback: (value ?? "") as MethodChoice["feedback"] })}
          />
        </Setting>
      )}
      {isBoundary && (
        <Setting caption="boundary">
          <Select
            size="xs"
            w={136}
            aria-label={`Where the boundary of ${label} lies`}
            allowDeselect={false}
            data={BOUNDARY_RULES}
            value={choice.boundaryRule}
            onChange={(value) => onChange({ boundaryRule: value as MethodChoice["boundaryRule"] })}
          />
        </Setting>
      )}
      {isBoundary &&
        choice.boundaryRule === "beta" &&
        number("boundaryBeta", "β", "β of the boundary", METHOD_NUMBERS.boundary_beta)}
      {choice.name === "vft-continued" &&
        number("epochsFactor", "epochs ×", "Times the epochs", METHOD_NUMBERS.epochs_factor)}
      {hasBeta(choice.name) &&
        (choice.name === "dpo"
          ? number("beta", "DPO's β", "DPO's β", METHOD_NUMBERS.beta)
          : number("beta", "factor", "Gradient factor", METHOD_NUMBERS.beta))}
      {usesCandidates(choice.name) && number("k", "k", "k", METHOD_NUMBERS.k)}
      {takesNoise(choice.name) && number("negativeNoise", "α", "α", METHOD_NUMBERS.negative_noise)}
    </div>
  );
}

function Setting({ caption, children }: { caption: string; children: ReactNode }) {
  return (
    <span className={classes.setting}>
      <span className={classes.caption} aria-hidden="true">
        {caption}
      </span>
      {children}
    </span>
  );
}
