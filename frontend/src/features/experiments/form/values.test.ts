import { describe, expect, it } from "vitest";
import { defaultValues, withBoundaryBeta } from "./values";

describe("withBoundaryBeta", () => {
  const start = defaultValues("paper", "version", "model");
  const boundaries = (values: typeof start) =>
    values.methods.filter((one) => one.name === "aft" && one.constraint === "boundary");

  it("adds AFT under the boundary that was explored", () => {
    const changed = withBoundaryBeta(start, 0.32);
    expect(changed.methods).toHaveLength(start.methods.length + 1);
    expect(boundaries(changed).at(-1)?.boundaryBeta).toBe("0.32");
    expect(withBoundaryBeta(changed, 0.32)).toBe(changed);
  });
  it("adds none that the default is already", () => {
    expect(boundaries(start)).toHaveLength(1);
    expect(withBoundaryBeta(start, 0.15)).toBe(start);
  });
});
