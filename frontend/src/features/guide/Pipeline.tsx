import { Icon, type IconName } from "@/components/Icon";
import classes from "./Pipeline.module.css";

const STEPS: readonly { icon: IconName; name: string; text: string }[] = [
  { icon: "book", name: "VFT", text: "fine-tune the base model on the reference COTs" },
  { icon: "cots", name: "Sample", text: "k COTs for each training question" },
  { icon: "check", name: "Rate", text: "read each answer; right or wrong, or a judge's rating" },
  { icon: "experiments", name: "Train", text: "each method with its ranking loss" },
  { icon: "compare", name: "Evaluate", text: "on test questions and fresh COTs" },
];

/** The order in which an experiment's runs follow each other. */
export function Pipeline() {
  return (
    <ol className={classes.steps}>
      {STEPS.map(({ icon, name, text }) => (
        <li key={name} className={classes.step}>
          <span className={classes.name}>
            <Icon name={icon} />
            {name}
          </span>
          <span className={classes.text}>{text}</span>
        </li>
      ))}
    </ol>
  );
}
