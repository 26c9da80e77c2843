import { expect, test } from "vitest";
import type { Spec } from "../queries";
import { placesOf, readSeeds } from "./extension";

test("seeds are read from commas and spaces, each once", () => {
  expect(readSeeds(" 4, 5 4\n6 ", [1, 2])).toEqual({ seeds: [4, 5, 6] });
  expect(readSeeds("", [1])).toEqual({ seeds: [] });
});

test("what is no seed, or is there already, is named", () => {
  expect(readSeeds("4, x", []).problem).toBe('"x" is no seed. Use whole numbers from 0.');
  expect(readSeeds("-1", []).problem).toContain('"-1"');
  expect(readSeeds("2147483648", []).problem).toContain("is no seed");
  expect(readSeeds("1", [1]).problem).toBe("The experiment has seed 1 already.");
});

test("what the experiment has already is not offered again", () => {
  const spec = {
    dataset_version_id: "a",
    more_datasets: [{ dataset_version_id: "b", split_id: "s" }],
    base_model_id: "m",
    more_models: ["n"],
  } as unknown as Spec;
  expect(placesOf(spec)).toEqual({ versions: ["a", "b"], models: ["m", "n"], tested: [] });
});
