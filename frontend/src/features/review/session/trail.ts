import type { Item, ReviewProgress } from "../queries";
import { type Draft, draftOf } from "./draft";

/** An item of this session: still open, judged, or skipped. */
export interface Entry {
  item: Item;
  draft: Draft;
  status: "open" | "submitted" | "skipped";
  /** Id of the submission that counts, while it may still be on its way. */
  submissionId?: string;
}

/** Items in the order met; `at` is the one on the screen. */
export interface Trail {
  entries: readonly Entry[];
  at: number;
  progress: ReviewProgress | null;
  /** The server had nothing more to hand out. */
  exhausted: boolean;
}

export const emptyTrail: Trail = { entries: [], at: 0, progress: null, exhausted: false };

export type Change =
  | {
      kind: "handed";
      items: readonly Item[];
      progress: ReviewProgress;
      load: (item: Item) => Draft;
    }
  | { kind: "drafted"; draft: Draft }
  | { kind: "sent"; status: "submitted" | "skipped"; submissionId: string; draft: Draft }
  | { kind: "took-back"; itemId: number }
  | { kind: "earlier"; item: Item }
  | { kind: "lost"; itemIds: readonly number[] }
  | { kind: "counted"; progress: ReviewProgress }
  | { kind: "moved"; by: 1 | -1 };

export const openAhead = (trail: Trail): number =>
  trail.entries.filter((entry) => entry.status === "open").length;

/** The newest item that can be taken back. */
export const lastSent = (trail: Trail): Entry | undefined =>
  [...trail.entries]
    .filter((entry) => entry.status !== "open")
    .sort((one, two) => (one.submissionId ?? "").localeCompare(two.submissionId ?? ""))
    .at(-1);

export function reduceTrail(trail: Trail, change: Change): Trail {
  const { entries, at } = trail;
  const replace = (index: number, entry: Entry) =>
    entries.map((one, place) => (place === index ? entry : one));
  const current = entries[at];
  switch (change.kind) {
    case "handed": {
      const known = new Set(entries.map((entry) => entry.item.id));
      const fresh = change.items.filter((item) => !known.has(item.id));
      const added = fresh.map(
        (item): Entry => ({ item, draft: change.load(item), status: "open" }),
      );
      return {
        entries: [...entries, ...added],
        at,
        progress: trail.progress ?? change.progress,
        exhausted: added.length === 0,
      };
    }
    case "drafted":
      return current === undefined
        ? trail
        : { ...trail, entries: replace(at, { ...current, draft: change.draft }) };
    case "sent": {
      if (current === undefined) return trail;
      const { status, submissionId, draft } = change;
      const sent = replace(at, { ...current, status, submissionId, draft });
      const next = sent.findIndex((entry, index) => index > at && entry.status === "open");
      const first = sent.findIndex((entry) => entry.status === "open");
      const target = next >= 0 ? next : first >= 0 ? first : sent.length;
      const counts = current.status === "open" && status === "submitted" ? 1 : 0;
      return { ...trail, entries: sent, at: target, progress: counted(trail.progress, counts) };
    }
    case "took-back": {
      const index = entries.findIndex((entry) => entry.item.id === change.itemId);
      const entry = entries[index];
      if (entry === undefined) return trail;
      const counts = entry.status === "submitted" ? -1 : 0;
      const { submissionId: _, ...open } = entry;
      const reopened = replace(index, { ...open, status: "open" });
      return { ...trail, entries: reopened, at: index, progress: counted(trail.progress, counts) };
    }
    case "earlier": {
      const { item } = change;
      const status = item.state === "skipped" ? "skipped" : "submitted";
      return { ...trail, entries: [{ item, draft: draftOf(item), status }, ...entries], at: 0 };
    }
    case "lost": {
      const kept = entries.filter(
        (entry) => entry.status !== "open" || !change.itemIds.includes(entry.item.id),
      );
      const here = kept.findIndex((entry) => entry.item.id === current?.item.id);
      const open = kept.findIndex((entry) => entry.status === "open");
      return {
        ...trail,
        entries: kept,
        at: here >= 0 ? here : open >= 0 ? open : kept.length,
        exhausted: false,
      };
    }
    case "counted":
      return { ...trail, progress: change.progress };
    case "moved":
      return { ...trail, at: Math.max(0, Math.min(entries.length - 1, at + change.by)) };
  }
}

function counted(progress: ReviewProgress | null, by: number): ReviewProgress | null {
  if (progress === null || by === 0) return progress;
  return {
    ...progress,
    mine_done: progress.mine_done + by,
    mine_left: Math.max(0, progress.mine_left - by),
    reviews_done: progress.reviews_done + by,
  };
}
