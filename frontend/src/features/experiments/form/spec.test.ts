import { describe, expect, it } from "vitest";
import { ApiError } from "@/api/errors";
import { serverProblems, toSpec } from "./spec";
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

describe("lists of numbers", () => {
  it("are read as typed and given back", () => {
    const values = opened();
    values.lists.self_consistency = ["1", " 4 ", "16"];
    values.lists["beta_search.seeds"] = ["9"];
    values.trackers = ["mlflow"];
    const { spec } = toSpec(values, "a name");
    if (spec === null) throw new Error("no specification");
    expect(spec.self_consistency).toEqual([1, 4, 16]);
    expect(spec.beta_search?.seeds).toEqual([9]);
    expect(spec.trackers).toEqual(["mlflow"]);
    const again = fromSpec(spec);
    expect(again.lists.self_consistency).toEqual(["1", "4", "16"]);
    expect(again.trackers).toEqual(["mlflow"]);
  });

  it.each([
    [["four"], "n of self-consistency is four. Use a whole number from 1 to 1024."],
    [["0"], "n of self-consistency is 0. Use a whole number from 1 to 1024."],
    [["4", "4.0"], "Self-consistency, n: 4 is given twice. Remove one."],
    [Array.from({ length: 21 }, (_, n) => String(n + 1)), "21 given. Give 0 to 20 values."],
  ])("%o is refused beside its field", (typed, message) => {
    const values = opened();
    values.lists.self_consistency = typed;
    const { spec, problems } = toSpec(values, "a name");
    expect(spec).toBeNull();
    expect(problems.get("self_consistency")).toContain(message);
  });

  it("show what the server says of one value", () => {
    const refused = new ApiError({
      title: "Unprocessable",
      detail: "",
      status: 422,
      errors: [{ field: "beta_search.betas.2", message: "too large" }],
      remedy: "",
    });
    expect(serverProblems(undefined, [refused]).get("beta_search.betas")).toBe("too large");
  });
});
