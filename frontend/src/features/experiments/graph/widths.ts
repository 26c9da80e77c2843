import type { GraphNode } from "./layout";

/** What is written in a box that no method names. */
export const WORDS: Record<string, string> = {
  base: "Make",
  vft: "VFT",
  sample: "Sample",
  rate: "Rate",
  "assessment-sample": "Fresh",
  paths: "Paths",
  search: "β",
};

// Pixels at the graph's 12 px, in the widest of the fonts that a system may have.
const CHARACTER = 7.1;
const FRAME = 20;
const GAP = 5;
const ICON = 16;
const MARK = 17;
/** A name of one's own may have 60 characters; beyond this it ends with an ellipsis, and its tooltip has all. */
const WIDEST = 330;

/** How wide a box has to be for its words, given the runs it holds: at least two of three seeds, `2/3`. */
export function boxWidth(members: readonly GraphNode[]): number {
  const [first] = members;
  if (first === undefined) return 0;
  const isNamed = first.stage === "train";
  const text = isNamed ? (first.method ?? "") : (WORDS[first.stage] ?? "");
  const hasState = members.some((node) => node.state !== null);
  const times = members.length < 2 ? "" : hasState ? "0/00" : "×00";
  const needed =
    FRAME +
    (hasState || text === "" ? ICON + GAP : 0) +
    (isNamed ? MARK : 0) +
    CHARACTER * text.length +
    (times === "" ? 0 : GAP + CHARACTER * times.length);
  return Math.min(WIDEST, Math.ceil(needed));
}
