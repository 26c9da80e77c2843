import { describe, expect, it } from "vitest";
import type { Method, Spec } from "../queries";
import {
  fromMethod,
  methodLabel,
  methodProblems,
  newMethod,
  publishedLabel,
  toMethod,
} from "./methods";
import { toSpec } from "./spec";
import { defaultValues, fromSpec } from "./values";

const plain = toMethod(newMethod("aft", "boundary"));

it("a control of more epochs keeps its factor and names it", () => {
  const control = { ...toMethod(newMethod("vft-continued")), epochs_factor: 3 };
  expect(toMethod(fromMethod(control))).toEqual(control);
  expect(methodLabel(control)).toBe("VFT · continued · 3 x epochs");
});

it.each([
  ["vft", "VFT"],
  ["aft:boundary:binary", "AFT · boundary · binary"],
  ["pro:none:ranking:no-temperature", "PRO · none · ranking · no temperature"],
  ["rrhf:none:ranking:0.1", "RRHF · none · ranking · factor 0.1"],
])("a published value of %s is that of %s", (key, label) => {
  expect(publishedLabel(key)).toBe(label);
});

describe("a method in the form", () => {
  it.each<[Partial<Method>, string]>([
    [{}, "AFT · boundary"],
    [{ boundary_beta: -0.4 }, "AFT · boundary · β -0.4"],
    [{ boundary_search: true }, "AFT · boundary · searched β"],
    [{ boundary_rule: "spread" }, "AFT · boundary · spread"],
    [{ k: 4, negative_noise: 0 }, "AFT · boundary · k 4 · α 0"],
    [{ sft_on: "best" }, "AFT · boundary · SFT on best"],
    [{ weight: 0.5 }, "AFT · boundary · weight 0.5"],
    [{ label: "mine", negative_noise: 0.3 }, "mine"],
  ])("keeps %o and is called %s", (change, label) => {
    const method = { ...plain, ...change };
    expect(toMethod(fromMethod(method))).toEqual(method);
    expect(methodLabel(method)).toBe(label);
  });

  it("leaves out what does not belong to it", () => {
    const typed = { k: "4", negativeNoise: "0.5" };
    expect(toMethod({ ...newMethod("vft"), ...typed })).toMatchObject({
      k: null,
      negative_noise: null,
    });
    expect(toMethod({ ...newMethod("rft"), ...typed })).toMatchObject({
      k: 4,
      negative_noise: null,
    });
    expect(toMethod({ ...newMethod("dpo"), ...typed }).negative_noise).toBeNull();
  });

  it("keeps RFT's choice of distinct COTs, which no other method has", () => {
    const chosen = { ...newMethod("rft"), distinct: "equations" as const };
    expect(methodLabel(toMethod(chosen))).toBe("RFT · distinct equations");
    expect(toMethod(fromMethod(toMethod(chosen)))).toEqual(toMethod(chosen));
    expect(toMethod({ ...newMethod("aft"), distinct: "equations" }).distinct).toBe("texts");
  });

  it("keeps PRO's temperatures of 1, which no other method has", () => {
    const flat = { ...newMethod("pro"), temperature: false };
    expect(methodLabel(toMethod(flat))).toBe("PRO · none · no temperature");
    expect(toMethod(fromMethod(toMethod(flat)))).toEqual(toMethod(flat));
    expect(toMethod({ ...newMethod("dpo"), temperature: false }).temperature).toBe(true);
  });

  it("refuses a name that the server would", () => {
    expect(methodProblems({ ...newMethod("vft"), label: "x".repeat(60) })).toEqual([]);
    expect(methodProblems({ ...newMethod("vft"), label: "x".repeat(61) })).toEqual([
      "The name has 61 characters; 60 are the most.",
    ]);
  });

  it("says what cannot be read", () => {
    expect(methodProblems({ ...newMethod("aft"), k: "1" })).toEqual([
      "k is 1. Use a whole number from 2 to 1024, or leave it empty for all.",
    ]);
    expect(methodProblems({ ...newMethod("aft"), negativeNoise: "2" })).toHaveLength(1);
  });
});

it("hands on what the form has no number or choice for", () => {
  const { spec } = toSpec(defaultValues("builtin", "version", "model"), "a name");
  const given = {
    ...(spec as Spec),
    self_consistency: [1, 4],
    trackers: ["tensorboard" as const],
    choice_likelihood: true,
    more_models: ["m2"],
    beta_search: { betas: [0, 0.1], seeds: [9], questions: 50 },
  };
  expect(toSpec(fromSpec(given), "another").spec).toEqual(given);
});
