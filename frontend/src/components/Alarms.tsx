import { Link } from "react-router";
import type { Schema } from "@/api/client";
import classes from "./Alarms.module.css";
import { counted } from "./format";
import { Notice } from "./Notice";

interface Props {
  alarms: readonly Schema<"DegradationAlarm">[];
  /** Address of a run. */
  hrefOf: (runId: string) => string;
}

/** The degradation alarms of trainings, each with its reasons in numbers. */
export function Alarms({ alarms, hrefOf }: Props) {
  return (
    <Notice
      level="warning"
      title={`${counted(alarms.length, "run")} ${alarms.length === 1 ? "answers worse and assesses" : "answer worse and assess"} no worse`}
    >
      <ul className={classes.list}>
        {alarms.map((alarm) => (
          <li key={alarm.run_id}>
            <Link to={hrefOf(alarm.run_id)}>{alarm.run_name}</Link>, step {alarm.step}:{" "}
            {alarm.words}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
