import type { Spec } from "../queries";

const LARGEST_SEED = 2 ** 31 - 1;

/** Seeds as typed, separated by commas or spaces; or what is wrong with them. */
export function readSeeds(
  text: string,
  there: readonly number[],
): { seeds: number[]; problem?: string } {
  const parts = text.split(/[\s,]+/).filter((part) => part !== "");
  const seeds: number[] = [];
  for (const part of parts) {
    const seed = Number(part);
    if (!/^\d+$/.test(part) || seed > LARGEST_SEED)
      return { seeds: [], problem: `"${part.slice(0, 20)}" is no seed. Use whole numbers from 0.` };
    if (there.includes(seed))
      return { seeds: [], problem: `The experiment has seed ${seed} already.` };
    if (!seeds.includes(seed)) seeds.push(seed);
  }
  return { seeds };
}

/** The data sets and models that an experiment has, by id. */
export function placesOf(spec: Spec): { versions: string[]; models: string[]; tested: string[] } {
  const ids = (places: Spec["more_datasets"]) =>
    (places ?? []).map((one) => one.dataset_version_id);
  return {
    versions: [spec.dataset_version_id, ...ids(spec.more_datasets)],
    models: [spec.base_model_id, ...(spec.more_models ?? [])],
    tested: ids(spec.also_test_on),
  };
}
