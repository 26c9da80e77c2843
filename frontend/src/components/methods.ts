/** Colour is the method's family, fill is its constraint: the one place that says which is which. */

export type Family = "vft" | "vft-continued" | "rft" | "aft" | "rrhf" | "pro" | "dpo" | "own";
export type Fill = "solid" | "half" | "lower-half" | "hollow" | "dotted";

const FAMILIES: Record<string, Family> = {
  VFT: "vft",
  RFT: "rft",
  AFT: "aft",
  RRHF: "rrhf",
  PRO: "pro",
  DPO: "dpo",
};
const CONSTRAINTS = ["none", "detached", "detached-lowest", "boundary"];
const RANKING = new Set<Family>(["aft", "rrhf", "pro", "dpo"]);

export interface MethodLook {
  family: Family;
  constraint: string;
}

/** Reads family and constraint from a label of the paper's form, `AFT · boundary · β 0.3`. */
export function lookOfLabel(label: string): MethodLook {
  const [name = "", ...rest] = label.split(" · ");
  const family = FAMILIES[name];
  if (family === undefined) return { family: "own", constraint: "none" };
  if (family === "vft" && rest.includes("continued"))
    return { family: "vft-continued", constraint: "none" };
  return { family, constraint: rest.find((part) => CONSTRAINTS.includes(part)) ?? "none" };
}

/** The look of an API row's `family` and `constraint`; a family of the user's own keeps its constraint. */
export const lookOf = (family: string, constraint: string): MethodLook => ({
  family: family === "vft-continued" ? family : (FAMILIES[family.toUpperCase()] ?? "own"),
  constraint,
});

export function fillOf({ family, constraint }: MethodLook): Fill {
  if (family === "vft-continued") return "dotted";
  if (!RANKING.has(family)) return "solid";
  if (constraint === "none") return "hollow";
  if (constraint === "detached-lowest") return "lower-half";
  return constraint === "detached" ? "half" : "solid";
}

/** The CSS variable with the family's colour. */
export const colourOf = (family: Family): string =>
  `var(--aft-${family === "vft-continued" ? "vft" : family})`;

interface EquationText {
  formula: string;
  number: string;
}

const RANK: Record<string, EquationText> = {
  "aft none": { formula: "L_{rank} = log(1 + Σ exp(s_j − s_i))", number: "6, 14" },
  "aft detached": { formula: "L_{rank} = log(1 + Σ exp(D(s_j) − s_i))", number: "7, 12" },
  "aft detached-lowest": {
    formula: "L_{rank} = log(1 + Σ exp(s_j − s_i)), D(s) at the lowest quality level",
    number: "13",
  },
  "aft boundary": {
    formula:
      "L_{rank} = log(1 + Σ [exp(s_j − s_i) + exp(D(2s_j^* − 2β − s_i) − s_j)]),  s_j^* = min_{k≻j} s_k",
    number: "8, 11",
  },
  "rrhf none": { formula: "L_{rank} = β Σ max(0, s_j − s_i)", number: "18" },
  "pro none": {
    formula: "L_{rank} = Σ_i log(1 + Σ_{j≺i} exp(τ_{ij} s_j − τ_i^{max} s_i)),  τ_{ij} = y_i − y_j",
    number: "20, 21",
  },
  "dpo none": {
    formula: "L_{rank} = Σ_i log(1 + Σ_{j≺i} exp(β(s_j − s_j^{ref}) − β(s_i − s_i^{ref})))",
    number: "16",
  },
};

const VFT: EquationText = { formula: "L_{VFT} = −(1/|r|) Σ_t log P(r_t | r_{<t}, q)", number: "1" };
const BOUNDARY_TERM = " + log(1 + Σ exp(D(2s_j^* − 2β − s_i) − s_j))";

/** A method's loss in the small markup that `Equation` reads, with its number in the paper. */
export function equationOf({ family, constraint }: MethodLook): EquationText | null {
  if (family === "vft" || family === "vft-continued") return VFT;
  if (family === "rft")
    return { ...VFT, formula: `${VFT.formula}, over the reference and every distinct right COT` };
  const exact = RANK[`${family} ${constraint}`];
  if (exact !== undefined) return exact;
  const base = RANK[`${family} none`];
  if (base === undefined) return null;
  if (constraint === "boundary")
    return { formula: base.formula + BOUNDARY_TERM, number: `${base.number}, extended` };
  const where = constraint === "detached" ? "D(s_j) in place of s_j" : "D(s_j) at the lowest level";
  return { formula: `${base.formula}, ${where}`, number: `${base.number}, constrained` };
}
