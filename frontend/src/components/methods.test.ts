import { expect, test } from "vitest";
import { colourOf, equationOf, fillOf, lookOf, lookOfLabel } from "./methods";

test("a label of the paper's form tells family and constraint", () => {
  expect(lookOfLabel("AFT · boundary · β 0.3")).toEqual({ family: "aft", constraint: "boundary" });
  expect(lookOfLabel("VFT · continued")).toEqual({ family: "vft-continued", constraint: "none" });
  expect(lookOfLabel("RRHF · detached-lowest").constraint).toBe("detached-lowest");
  expect(lookOfLabel("My variant")).toEqual({ family: "own", constraint: "none" });
});

test("the API's family decides, unless it is unknown", () => {
  expect(lookOf("pro", "detached").family).toBe("pro");
  expect(lookOf("something", "boundary")).toEqual({ family: "own", constraint: "boundary" });
});

test("an unconstrained ranking method can be told from its repaired form without colour", () => {
  const fills = ["none", "detached", "detached-lowest", "boundary"].map((constraint) =>
    fillOf({ family: "rrhf", constraint }),
  );
  expect(new Set(fills).size).toBe(4);
  expect(fills[0]).toBe("hollow");
  expect(fillOf({ family: "vft", constraint: "none" })).toBe("solid");
  expect(fillOf({ family: "vft-continued", constraint: "none" })).toBe("dotted");
});

test("the control has VFT's colour", () => {
  expect(colourOf("vft-continued")).toBe(colourOf("vft"));
});

test("every method of the paper has an equation, under every constraint", () => {
  for (const family of ["aft", "rrhf", "pro", "dpo"] as const)
    for (const constraint of ["none", "detached", "detached-lowest", "boundary"])
      expect(equationOf({ family, constraint })?.formula).toContain("L_{rank}");
  expect(equationOf({ family: "aft", constraint: "boundary" })?.number).toBe("8, 11");
  expect(equationOf({ family: "rrhf", constraint: "boundary" })?.number).toContain("extended");
  expect(equationOf({ family: "own", constraint: "none" })).toBeNull();
});
