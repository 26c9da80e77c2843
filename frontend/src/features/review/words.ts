import type { Mode } from "./queries";

/** What a reviewer does in each mode. */
export const MODES: Record<Mode, { label: string; task: string; scale: string }> = {
  verify: {
    label: "Verify",
    task: "Say of each COT whether it is right, wrong, or you are unsure.",
    scale: "right, unsure, wrong",
  },
  rate: {
    label: "Rate",
    task: "Give each COT 1 to 10 points; a wrong step takes a point.",
    scale: "1 to 10",
  },
  rank: {
    label: "Rank",
    task: "Put the COTs of a question in order; ties are allowed.",
    scale: "order, ties allowed",
  },
  pair: {
    label: "Pair",
    task: "Say which of two COTs is better, or that neither is.",
    scale: "better, tie",
  },
};
