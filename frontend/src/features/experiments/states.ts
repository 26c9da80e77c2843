import { counted } from "@/components/format";
import type { RunStateName } from "@/components/RunState";
import type { ExperimentRow, StateCounts } from "./queries";

/** An experiment's state drawn with the icon of the run state that means the same. */
export const STATE_ICONS: Record<ExperimentRow["state"], RunStateName> = {
  running: "running",
  paused: "paused",
  finished: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
};

/** Runs per state in words, the empty ones left out: "36 done, 2 running, 1 failed". */
export function countsInWords(counts: StateCounts): string {
  const running = counts.starting + counts.running + counts.cancelling;
  const waiting = counts.waiting + counts.queued;
  const parts: [number, string][] = [
    [counts.succeeded, "done"],
    [running, "running"],
    [waiting, "waiting"],
    [counts.failed, "failed"],
    [counts.cancelled, "cancelled"],
  ];
  return parts
    .filter(([n]) => n > 0)
    .map(([n, word]) => `${n} ${word}`)
    .join(", ");
}

/** What the retry button says, or null when there is nothing to retry. */
export function retryLabel(counts: StateCounts): string | null {
  const { failed, cancelled } = counts;
  if (failed > 0 && cancelled > 0)
    return `Retry ${counted(failed + cancelled, "failed or cancelled run")}`;
  if (failed > 0) return `Retry ${counted(failed, "failed run")}`;
  return cancelled > 0 ? `Retry ${counted(cancelled, "cancelled run")}` : null;
}
