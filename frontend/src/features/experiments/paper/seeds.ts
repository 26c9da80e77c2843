export const USUAL_SEEDS: readonly number[] = [1, 2, 3];

/** Seeds in the address, `?seeds=1,2,3`; what cannot be reported is left out. */
export function seedsIn(query: URLSearchParams): readonly number[] {
  const found = (query.get("seeds") ?? "")
    .split(",")
    .map((part) => Number(part.trim() || Number.NaN))
    .filter((seed) => Number.isInteger(seed) && seed > 0);
  const distinct = [...new Set(found)].slice(0, 20);
  return distinct.length > 0 ? distinct : USUAL_SEEDS;
}

/** What was typed as seeds: the seeds, or why they cannot be reported. */
export function readSeeds(values: readonly string[]): { seeds: number[]; problem: string | null } {
  const seeds = values.map(Number);
  const wrong = values.find((_, place) => !isSeed(seeds[place]));
  if (wrong !== undefined)
    return { seeds, problem: `'${wrong}' is no seed that can be reported: 0 is for tuning.` };
  return { seeds, problem: seeds.length === 0 ? "Name at least one seed." : null };
}

const isSeed = (seed: number | undefined) =>
  seed !== undefined && Number.isInteger(seed) && seed > 0 && seed < 2 ** 31;
