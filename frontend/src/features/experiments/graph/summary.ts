import type { RunStateName } from "@/components/RunState";
import type { Box, GraphNode } from "./layout";

// The state of several runs together is the one that most needs a look.
const LOUDEST: readonly RunStateName[] = [
  "failed",
  "running",
  "starting",
  "cancelling",
  "queued",
  "waiting",
  "cancelled",
  "succeeded",
];

/** The state that stands for all runs of a box; null while none exists. */
export function stateOf(members: readonly GraphNode[]): RunStateName | null {
  const states = new Set(members.map((node) => node.state));
  return LOUDEST.find((state) => states.has(state)) ?? null;
}

/** Whether the work of a box is taken over from earlier runs. */
export const isReused = (members: readonly GraphNode[]): boolean =>
  members.length > 0 && members.every((node) => node.reused);

/** A box in words, for its tooltip and for screen readers. */
export function boxInWords({ members, method }: Box): string {
  const [first] = members;
  if (first === undefined) return `${method}: trained once, as every method's first step`;
  if (members.length === 1) {
    const state = first.state === null || (first.reused && first.state === "succeeded");
    const reused = first.reused ? ", reused" : "";
    return `${first.name}${reused}${state ? "" : `: ${first.state}`}`;
  }
  const done = members.filter((node) => node.state === "succeeded").length;
  const name = first.name.replace(/ · seed \d+$/, "");
  return `${name}, ${members.length} seeds: ${done} done`;
}
