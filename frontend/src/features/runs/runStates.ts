import { count } from "@/components/format";
import type { RunKind, RunStateValue } from "./queries";

export const KINDS: { value: RunKind; label: string }[] = [
  { value: "pretrain", label: "Make model" },
  { value: "train", label: "Train" },
  { value: "sample", label: "Sample" },
  { value: "rate", label: "Rate" },
  { value: "score", label: "Score" },
  { value: "evaluate", label: "Evaluate" },
  { value: "search", label: "Choose β" },
  { value: "import", label: "Import" },
  { value: "import-cots", label: "Import COTs" },
  { value: "export", label: "Export" },
];
export const kindLabel = (kind: RunKind): string =>
  KINDS.find((one) => one.value === kind)?.label ?? kind;

export const STATE_GROUPS = {
  active: ["starting", "running", "cancelling"],
  waiting: ["waiting", "queued"],
  succeeded: ["succeeded"],
  failed: ["failed"],
  cancelled: ["cancelled"],
} as const satisfies Record<string, readonly RunStateValue[]>;
export type StateGroup = keyof typeof STATE_GROUPS;

export const STATE_CHOICES: { value: StateGroup; label: string }[] = [
  { value: "active", label: "Running" },
  { value: "waiting", label: "Waiting" },
  { value: "succeeded", label: "Done" },
  { value: "failed", label: "Failed" },
  { value: "cancelled", label: "Cancelled" },
];
export const isStateGroup = (value: string | null): value is StateGroup =>
  value !== null && value in STATE_GROUPS;

/** States in which there is progress to show; what waits for a worker has none. */
export const MOVING: ReadonlySet<RunStateValue> = new Set(STATE_GROUPS.active);

/** Runs by state in words, the states that have none left out: "5 done, 1 failed". */
export const statesInWords = (states: Partial<Record<RunStateValue, number>>): string =>
  STATE_CHOICES.map(({ value, label }) => {
    const n = STATE_GROUPS[value].reduce((sum, state) => sum + (states[state] ?? 0), 0);
    return n === 0 ? "" : `${count(n)} ${label.toLowerCase()}`;
  })
    .filter((words) => words !== "")
    .join(", ");
