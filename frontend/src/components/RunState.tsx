import { Icon, type IconName } from "./Icon";
import classes from "./RunState.module.css";

export type RunStateName =
  | "waiting"
  | "queued"
  | "starting"
  | "running"
  | "cancelling"
  | "succeeded"
  | "failed"
  | "cancelled"
  /** An experiment on hold, or a run that waits for one to be resumed. */
  | "paused";

interface Look {
  word: string;
  icon: IconName;
  tone: string;
}

export const RUN_STATES: Record<RunStateName, Look> = {
  waiting: { word: "waiting", icon: "hourglass", tone: "quiet" },
  queued: { word: "queued", icon: "clock", tone: "quiet" },
  starting: { word: "starting", icon: "spinner", tone: "active" },
  running: { word: "running", icon: "spinner", tone: "active" },
  cancelling: { word: "cancelling", icon: "spinner", tone: "quiet" },
  succeeded: { word: "done", icon: "check", tone: "good" },
  failed: { word: "failed", icon: "cross", tone: "bad" },
  cancelled: { word: "cancelled", icon: "slash", tone: "quiet" },
  paused: { word: "paused", icon: "pause", tone: "quiet" },
};

const ACTIVE = new Set<RunStateName>(["queued", "starting", "running", "cancelling", "waiting"]);

/** Whether a run in this state may still change by itself. */
export const isActive = (state: RunStateName): boolean => ACTIVE.has(state);

interface Props {
  state: RunStateName;
  /** Only the icon, named for screen readers: for grids with a legend. */
  iconOnly?: boolean;
}

/** A run's state: icon and word. The running one moves unless reduced motion is asked for. */
export function RunState({ state, iconOnly = false }: Props) {
  const { word, icon, tone } = RUN_STATES[state];
  return (
    <span className={classes.state} data-tone={tone} data-moves={icon === "spinner"}>
      {iconOnly ? <Icon name={icon} size={14} label={word} /> : <Icon name={icon} size={14} />}
      {!iconOnly && <span className={classes.word}>{word}</span>}
    </span>
  );
}
