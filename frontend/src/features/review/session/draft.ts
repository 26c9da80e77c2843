import type { Item, Mode, Submission } from "../queries";

/** A judgement in the making. */
export interface Draft {
  values: Record<string, number>;
  /** Letters from best to worst, ties side by side. */
  tiers: string[][];
  /** The ranking was touched, so it is meant. */
  ranked: boolean;
  steps: Record<string, [number, number][]>;
  note: string;
  isFlagged: boolean;
  /** Time at the item so far. */
  seconds: number;
}

export function emptyDraft(item: Item): Draft {
  return {
    values: {},
    tiers: item.candidates.map((one) => [one.label]),
    ranked: false,
    steps: {},
    note: "",
    isFlagged: false,
    seconds: 0,
  };
}

/** The draft that a stored review was made from. */
export function draftOf(item: Item): Draft {
  const { review } = item;
  if (review === null || Object.keys(review.values).length === 0) return emptyDraft(item);
  const byValue = new Map<number, string[]>();
  for (const [label, value] of Object.entries(review.values))
    byValue.set(value, [...(byValue.get(value) ?? []), label]);
  const tiers = [...byValue.entries()].sort((one, two) => two[0] - one[0]).map(([, tier]) => tier);
  return {
    ...emptyDraft(item),
    values: comparing(item.mode) ? {} : { ...review.values },
    tiers: comparing(item.mode) ? tiers : emptyDraft(item).tiers,
    ranked: comparing(item.mode),
    steps: Object.fromEntries(
      Object.entries(review.steps).map(([label, spans]) => [
        label,
        spans.map(([start, end]) => [start, end] as [number, number]),
      ]),
    ),
    note: review.note,
    isFlagged: review.is_flagged,
  };
}

export const comparing = (mode: Mode): boolean => mode === "rank" || mode === "pair";

/** Letters that still lack a judgement. */
export function missing(item: Item, draft: Draft): string[] {
  if (comparing(item.mode)) return draft.ranked ? [] : item.candidates.map((one) => one.label);
  return item.candidates
    .map((one) => one.label)
    .filter((label) => draft.values[label] === undefined);
}

export function setValue(draft: Draft, label: string, value: number): Draft {
  return { ...draft, values: { ...draft.values, [label]: value } };
}

/** Marks a step wrong or right again; to rate, the points follow: ten, less one for each wrong step. */
export function toggleStep(
  draft: Draft,
  mode: Mode,
  label: string,
  span: readonly [number, number],
): Draft {
  const before = draft.steps[label] ?? [];
  const without = before.filter(([start]) => start !== span[0]);
  const after =
    without.length === before.length
      ? [...before, [span[0], span[1]] as [number, number]].sort((one, two) => one[0] - two[0])
      : without;
  const next = { ...draft, steps: { ...draft.steps, [label]: after } };
  const follows =
    mode === "rate" &&
    (draft.values[label] === undefined || draft.values[label] === points(before.length));
  return follows ? setValue(next, label, points(after.length)) : next;
}

const points = (wrongSteps: number): number => Math.max(1, 10 - wrongSteps);

/** Moves a letter one place up or down; out of a tie first. */
export function moveInRanking(draft: Draft, label: string, by: 1 | -1): Draft {
  const at = draft.tiers.findIndex((tier) => tier.includes(label));
  const tier = draft.tiers[at];
  if (tier === undefined) return draft;
  const tiers = draft.tiers.map((one) => one.filter((other) => other !== label));
  if (tier.length > 1) tiers.splice(by < 0 ? at : at + 1, 0, [label]);
  else {
    const target = Math.max(0, Math.min(draft.tiers.length - 1, at + by));
    tiers.splice(at, 1);
    tiers.splice(target, 0, [label]);
  }
  return { ...draft, tiers: tiers.filter((one) => one.length > 0), ranked: true };
}

/** Ties a letter with the one above it; a letter that is tied parts again and goes below. */
export function tie(draft: Draft, label: string): Draft {
  const at = draft.tiers.findIndex((tier) => tier.includes(label));
  const tier = draft.tiers[at];
  if (tier === undefined) return draft;
  if (tier.length > 1) return moveInRanking(draft, label, 1);
  const target = at > 0 ? at - 1 : 1;
  const other = draft.tiers[target];
  if (other === undefined) return draft;
  const merged = at > 0 ? [...other, label] : [label, ...other];
  const tiers = draft.tiers.map((one, index) => (index === target ? merged : one));
  return { ...draft, tiers: tiers.filter((_, index) => index !== at), ranked: true };
}

/** Prefers one of two, or neither. */
export function prefer(draft: Draft, labels: readonly string[], winner: string | null): Draft {
  const tiers =
    winner === null
      ? [[...labels]]
      : [[winner], ...labels.filter((label) => label !== winner).map((label) => [label])];
  return { ...draft, tiers, ranked: true };
}

/** The winner of a pair; null for a tie, undefined while undecided. */
export function preferred(draft: Draft): string | null | undefined {
  if (!draft.ranked) return undefined;
  return draft.tiers.length === 1 ? null : draft.tiers[0]?.[0];
}

export function submissionOf(item: Item, draft: Draft, submissionId: string): Submission {
  const isComparison = comparing(item.mode);
  return {
    submission_id: submissionId,
    action: "submit",
    values: isComparison ? {} : draft.values,
    tiers: isComparison ? draft.tiers : [],
    steps: draft.steps,
    note: draft.note,
    reason: "",
    is_flagged: draft.isFlagged,
    seconds: Math.min(86_400, Math.round(draft.seconds * 10) / 10),
  };
}

const keyOf = (personId: string, itemId: number): string =>
  `aft:review:draft:${personId}:${itemId}`;

export function saveDraft(personId: string, itemId: number, draft: Draft): void {
  try {
    localStorage.setItem(keyOf(personId, itemId), JSON.stringify(draft));
  } catch {
    // A full or forbidden storage costs the draft on a reload, nothing else.
  }
}

export function forgetDraft(personId: string, itemId: number): void {
  try {
    localStorage.removeItem(keyOf(personId, itemId));
  } catch {
    // As above.
  }
}

/** The draft kept in this browser, where it still fits the item; else what was last said about it. */
export function loadDraft(personId: string, item: Item): Draft {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(keyOf(personId, item.id)) ?? "null");
    if (isDraft(kept, item)) return kept;
  } catch {
    // Not readable: begin anew.
  }
  return draftOf(item);
}

function isDraft(value: unknown, item: Item): value is Draft {
  if (typeof value !== "object" || value === null) return false;
  const { values, tiers, steps, note, seconds } = value as Partial<Draft>;
  const labels = item.candidates.map((one) => one.label).sort();
  return (
    typeof values === "object" &&
    values !== null &&
    typeof steps === "object" &&
    steps !== null &&
    typeof note === "string" &&
    typeof seconds === "number" &&
    Array.isArray(tiers) &&
    JSON.stringify(tiers.flat().sort()) === JSON.stringify(labels)
  );
}
