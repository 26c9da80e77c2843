export interface Run {
  text: string;
  kind: "same" | "only-here" | "only-there";
}

const MOST_WORDS = 1_500;

/** Words of a text against those of the reference; null when they are too long to compare. */
export function wordDiff(here: string, there: string): Run[] | null {
  const mine = here.match(/\s+|[^\s]+/g) ?? [];
  const theirs = there.match(/\s+|[^\s]+/g) ?? [];
  if (mine.length > MOST_WORDS || theirs.length > MOST_WORDS) return null;
  const width = theirs.length + 1;
  const longest = new Uint16Array((mine.length + 1) * width);
  const at = (i: number, j: number) => longest[i * width + j] ?? 0;
  for (let i = mine.length - 1; i >= 0; i -= 1)
    for (let j = theirs.length - 1; j >= 0; j -= 1)
      longest[i * width + j] =
        mine[i] === theirs[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const runs: Run[] = [];
  const push = (text: string | undefined, kind: Run["kind"]) => {
    const last = runs.at(-1);
    if (last?.kind === kind) last.text += text ?? "";
    else runs.push({ text: text ?? "", kind });
  };
  let [i, j] = [0, 0];
  while (i < mine.length || j < theirs.length) {
    if (i < mine.length && j < theirs.length && mine[i] === theirs[j]) {
      push(mine[i], "same");
      i += 1;
      j += 1;
    } else if (j >= theirs.length || (i < mine.length && at(i + 1, j) >= at(i, j + 1))) {
      push(mine[i], "only-here");
      i += 1;
    } else {
      push(theirs[j], "only-there");
      j += 1;
    }
  }
  return runs;
}
