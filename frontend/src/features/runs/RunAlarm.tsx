import { Notice } from "@/components/Notice";
import type { Run } from "./queries";
import classes from "./RunFailure.module.css";

/** The degradation alarm with its reasons in numbers. */
export function RunAlarm({ alarm }: { alarm: NonNullable<Run["alarm"]> }) {
  const words = `${alarm.words.charAt(0).toUpperCase()}${alarm.words.slice(1)}.`;
  return (
    <div className={classes.failure}>
      <Notice
        level="warning"
        title={`It answers worse and assesses no worse since step ${alarm.step}`}
      >
        <p className={classes.line}>{words}</p>
        <p className={classes.line}>
          {alarm.stops
            ? "Training ended here, as asked for."
            : "Wrong COTs are pushed down too far. A constraint prevents it; so does ending earlier: keep the best model, or stop on degradation."}
        </p>
      </Notice>
    </div>
  );
}
