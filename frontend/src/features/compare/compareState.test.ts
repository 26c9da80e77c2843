import { describe, expect, it } from "vitest";
import { figureQuery, readState, serverOptions, toggled, writeState } from "./compareState";

const ADDRESS =
  "baseline=RFT&test=mcnemar&seed=2&published=table4%2Fllama-7b%2Fgsm8k-rank&metric=perplexity&task=gsm8k&sort=-difference&pin=VFT&hide=A&hide=B&select=C&flips=C&case=12&block=d1m2";

describe("the address of a comparison", () => {
  it("holds everything that is shown", () => {
    const state = readState(new URLSearchParams(ADDRESS));
    expect(state.sort).toEqual({ column: "difference", descending: true });
    expect(state.hidden).toEqual(["A", "B"]);
    expect(state.seed).toBe(2);
    expect(writeState(state).toString()).toBe(ADDRESS);
  });
  it("is empty for the default view", () => {
    expect(writeState(readState(new URLSearchParams())).toString()).toBe("");
  });
  it("of two chosen runs asks by question, and of more over seeds, unless told otherwise", () => {
    const two = readState(new URLSearchParams("run=a&run=b"));
    expect([two.runs, two.test]).toEqual([["a", "b"], "mcnemar"]);
    expect(writeState(two).toString()).toBe("run=a&run=b");
    const told = writeState({ ...two, test: "paired-t" });
    expect(told.toString()).toBe("run=a&run=b&test=paired-t");
    expect(readState(told).test).toBe("paired-t");
    expect(readState(new URLSearchParams("run=a&run=b&run=c")).test).toBe("paired-t");
  });
  it("ignores what means nothing", () => {
    const state = readState(new URLSearchParams("test=guess&seed=x"));
    expect(state.test).toBe("paired-t");
    expect(state.seed).toBeUndefined();
  });
  it("asks the server only for what it needs", () => {
    const state = readState(new URLSearchParams(ADDRESS));
    expect(serverOptions(state)).toMatchObject({ baseline: "RFT", test: "mcnemar", seed: 2 });
    expect(figureQuery(state).getAll("hidden")).toEqual(["A", "B"]);
    expect(figureQuery(state).has("test")).toBe(false);
    expect(serverOptions(state).block).toBe("d1m2");
    expect(figureQuery(state).get("block")).toBe("d1m2");
  });
});

it("a label is added once and taken out again", () => {
  expect(toggled(["a"], "b")).toEqual(["a", "b"]);
  expect(toggled(["a", "b"], "a")).toEqual(["b"]);
});
