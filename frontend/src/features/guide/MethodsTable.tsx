import { Equation } from "@/components/Equation";
import { MethodName } from "@/components/MethodMark";
import { equationOf, lookOfLabel } from "@/components/methods";
import classes from "./MethodsTable.module.css";

const METHODS: readonly { label: string; text: string }[] = [
  { label: "VFT", text: "Vanilla fine-tuning: the baseline." },
  {
    label: "VFT · continued",
    text: "VFT with as many epochs as the whole AFT pipeline: the control.",
  },
  { label: "RFT", text: "VFT with the model's own right COTs as additional references." },
  { label: "AFT · none", text: "Ranks, and may push worse COTs down without end." },
  { label: "AFT · detached", text: "Ranks by pulling better COTs up only." },
  {
    label: "AFT · boundary",
    text: "Ranks, and stops pushing at the boundary β below the lowest better COT.",
  },
  { label: "RRHF · none", text: "A hinge on every pair in the wrong order." },
  {
    label: "PRO · none",
    text: "Each COT against all worse ones, tempered by how much worse they are rated.",
  },
  { label: "DPO · none", text: "Scores are measured from those of the VFT model." },
];

/** The methods with their losses. */
export function MethodsTable() {
  return (
    <dl className={classes.methods}>
      {METHODS.map(({ label, text }) => {
        const equation = equationOf(lookOfLabel(label));
        return (
          <div key={label} className={classes.method}>
            <dt className={classes.name}>
              <MethodName label={label} />
            </dt>
            <dd className={classes.text}>
              {text}
              {equation !== null && (
                <span className={classes.equation}>
                  <Equation number={equation.number}>{equation.formula}</Equation>
                </span>
              )}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
