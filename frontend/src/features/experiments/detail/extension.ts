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
