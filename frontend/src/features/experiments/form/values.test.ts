import { describe, expect, it } from "vitest";
import type { DatasetRow } from "../queries";
import { defaultValues, startingOn, usualModel, withBoundaryBeta } from "./values";

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

describe("usualModel", () => {
  const model = (id: string, source: string) => ({ id, source });

  it("takes the oldest built-in model, else the newest of others", () => {
    const made = [model("larger", "builtin"), model("mine", "hub"), model("small", "builtin")];
    expect(usualModel(made)).toBe("small");
    expect(usualModel([model("new", "hub"), model("old", "local")])).toBe("new");
    expect(usualModel([])).toBeNull();
  });
});

describe("startingOn", () => {
  const rows = [
    { id: "d1", builtin: true, newest: { id: "v1" } },
    { id: "d2", builtin: false, newest: { id: "v2" } },
    { id: "d3", builtin: false, newest: null },
  ] as DatasetRow[];

  it("takes the data set whose page asks for it, with the paper's settings", () => {
    const { versionId, choices } = startingOn(rows, "v2", "m");
    expect(versionId).toBe("v2");
    expect(choices).toEqual(defaultValues("paper", "v2", "m").choices);
  });
  it.each([null, "gone", ""])("takes the built-in one for %j", (asked) => {
    expect(startingOn(rows, asked, "m").versionId).toBe("v1");
    expect(startingOn([], asked, null).versionId).toBeNull();
  });
});
