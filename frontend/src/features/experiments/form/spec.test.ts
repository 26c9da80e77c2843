import { describe, expect, it } from "vitest";
import { toSpec } from "./spec";
import { defaultValues, fromSpec } from "./values";

const opened = () => defaultValues("paper", "v1", "m1");

describe("toSpec", () => {
  it("trains all weights in one process unless told otherwise", () => {
    const { spec } = toSpec(opened(), "a name");
    expect(spec?.lora).toBeNull();
    expect(spec?.parallel).toEqual({ processes: 1, strategy: "none", offload: false });
    expect(spec?.activation_checkpointing).toBe(false);
  });

  it("reads LoRA and processes, and gives them back", () => {
    const values = opened();
    values.numbers["lora.rank"] = "8";
    values.numbers["parallel.processes"] = "2";
    values.choices["parallel.strategy"] = "zero2";
    values.choices["parallel.offload"] = "true";
    values.choices.activation_checkpointing = "true";
    const { spec } = toSpec(values, "a name");
    expect(spec?.lora).toEqual({ rank: 8, quantize: "none" });
    expect(spec?.parallel).toEqual({ processes: 2, strategy: "zero2", offload: true });
    expect(spec?.activation_checkpointing).toBe(true);
    if (spec === null) throw new Error("no specification");
    const again = fromSpec(spec);
    expect(again.numbers["lora.rank"]).toBe("8");
    expect(again.choices).toEqual(values.choices);
  });

  it("names a bound that is broken beside its field", () => {
    const values = opened();
    values.numbers["parallel.processes"] = "0";
    const { spec, problems } = toSpec(values, "a name");
    expect(spec).toBeNull();
    expect(problems.get("parallel.processes")).toContain("from 1 to 64");
  });
});
