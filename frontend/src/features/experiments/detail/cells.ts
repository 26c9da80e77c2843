import type { RunStateName } from "@/components/RunState";
import type { Cell, Experiment } from "../queries";

/** What a method has under a seed: its number, or the first run that keeps it from one. */
export interface GridCell {
  state: RunStateName;
  /** The run to look at: the failed or running one, else the evaluation. */
  runId: string;
  /** What is missing, in words; null when the cell is measured. */
  missing: string | null;
}

const URGENCY: RunStateName[] = [
  "failed",
  "cancelled",
  "running",
  "cancelling",
  "starting",
  "paused",
  "queued",
  "waiting",
  "succeeded",
];

const stateOf = (cell: Cell): RunStateName => (cell.on_hold ? "paused" : cell.state);

/** A method under a seed, on a data set and model; undefined where the experiment has no run of that place. */
export function cellOf(
  experiment: Experiment,
  block: string,
  method: string,
  seed: number,
): GridCell | undefined {
  const mine = experiment.cells.filter(
    (cell) => cell.block === block && cell.method === method && cell.seed === seed,
  );
  const [worst] = [...mine].sort(
    (a, b) => URGENCY.indexOf(stateOf(a)) - URGENCY.indexOf(stateOf(b)),
  );
  if (worst === undefined) return undefined;
  const evaluation = mine.find((cell) => cell.stage === "evaluate");
  if (evaluation?.state === "succeeded")
    return { state: "succeeded", runId: evaluation.run_id, missing: null };
  const what = worst.error_title ?? worst.name;
  return { state: stateOf(worst), runId: worst.run_id, missing: what };
}

/** How many cells of a block have no number yet. */
export function missingCells(experiment: Experiment, block: string): number {
  return experiment.methods
    .flatMap((method) => experiment.seeds.map((seed) => cellOf(experiment, block, method, seed)))
    .filter((cell) => cell?.state !== "succeeded").length;
}
