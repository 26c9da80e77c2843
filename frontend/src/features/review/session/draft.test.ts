import { beforeEach, expect, test } from "vitest";
import type { Item } from "../queries";
import {
  draftOf,
  emptyDraft,
  loadDraft,
  missing,
  moveInRanking,
  prefer,
  preferred,
  saveDraft,
  setValue,
  submissionOf,
  tie,
  toggleStep,
} from "./draft";

const item = (mode: Item["mode"], letters = "ABC"): Item => ({
  id: 7,
  queue_id: "q",
  mode,
  task: "gsm8k",
  state: "leased",
  question: "How many?",
  choices: null,
  reference: null,
  gold_answer: null,
  candidates: [...letters].map((label) => ({
    label,
    text: "so 5",
    text_truncated: false,
    known: null,
  })),
  lease_expires_at: null,
  review: null,
});

beforeEach(() => localStorage.clear());

test("a ranking moves by one place, and out of a tie first", () => {
  let draft = emptyDraft(item("rank"));
  draft = moveInRanking(draft, "C", -1);
  expect(draft.tiers).toEqual([["A"], ["C"], ["B"]]);
  draft = tie(draft, "C");
  expect(draft.tiers).toEqual([["A", "C"], ["B"]]);
  expect(moveInRanking(draft, "C", -1).tiers).toEqual([["C"], ["A"], ["B"]]);
  expect(moveInRanking(draft, "C", 1).tiers).toEqual([["A"], ["C"], ["B"]]);
  expect(tie(draft, "C").tiers).toEqual([["A"], ["C"], ["B"]]);
});

test("the first place and the last are ends", () => {
  const draft = emptyDraft(item("rank"));
  expect(moveInRanking(draft, "A", -1).tiers).toEqual([["A"], ["B"], ["C"]]);
  expect(moveInRanking(draft, "C", 1).tiers).toEqual([["A"], ["B"], ["C"]]);
  expect(tie(draft, "A").tiers).toEqual([["A", "B"], ["C"]]);
});

test("an untouched ranking is no judgement", () => {
  const draft = emptyDraft(item("rank"));
  expect(missing(item("rank"), draft)).toEqual(["A", "B", "C"]);
  expect(missing(item("rank"), tie(draft, "B"))).toEqual([]);
});

test("a wrong step takes a point until the points are given by hand", () => {
  let draft = toggleStep(emptyDraft(item("rate")), "rate", "A", [0, 4]);
  expect(draft.values.A).toBe(9);
  draft = toggleStep(draft, "rate", "A", [5, 9]);
  expect(draft.values.A).toBe(8);
  draft = toggleStep(draft, "rate", "A", [0, 4]);
  expect(draft.values.A).toBe(9);
  draft = toggleStep(setValue(draft, "A", 3), "rate", "A", [0, 4]);
  expect(draft.values.A).toBe(3);
});

test("a pair is decided by a winner or a tie", () => {
  const draft = emptyDraft(item("pair", "AB"));
  expect(preferred(draft)).toBeUndefined();
  expect(preferred(prefer(draft, ["A", "B"], "B"))).toBe("B");
  expect(preferred(prefer(draft, ["A", "B"], null))).toBeNull();
});

test("a submission holds what the mode asks for", () => {
  const ranked = submissionOf(item("rank"), tie(emptyDraft(item("rank")), "B"), "id");
  expect(ranked.tiers).toEqual([["A", "B"], ["C"]]);
  expect(ranked.values).toEqual({});
  const rated = submissionOf(item("rate"), setValue(emptyDraft(item("rate")), "A", 4), "id");
  expect(rated.values).toEqual({ A: 4 });
  expect(rated.tiers).toEqual([]);
});

test("a review that was taken back fills the draft again", () => {
  const review = {
    action: "undo" as const,
    values: { A: 0, B: 1, C: 0.5 },
    steps: { A: [[0, 2]] as [number, number][] },
    note: "hm",
    reason: "",
    is_flagged: true,
    revision: 2,
    created_at: "2026-01-01T00:00:00Z",
  };
  const draft = draftOf({ ...item("rank"), review });
  expect(draft.tiers).toEqual([["B"], ["C"], ["A"]]);
  expect(draft.note).toBe("hm");
  expect(draft.isFlagged).toBe(true);
});

test("a draft survives a reload, and one of another item does not fit", () => {
  const draft = setValue(emptyDraft(item("rate")), "B", 6);
  saveDraft("ann", 7, draft);
  expect(loadDraft("ann", item("rate"))).toEqual(draft);
  expect(loadDraft("ann", item("rate", "AB"))).toEqual(emptyDraft(item("rate", "AB")));
});
