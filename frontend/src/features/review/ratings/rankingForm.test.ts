import { expect, test } from "vitest";
import type { AvailableRater } from "./queries";
import { emptyRanking, raterKey, toRankingSet } from "./rankingForm";

const rater = (source: AvailableRater["source"], name: string): AvailableRater => ({
  source,
  rater: name,
  scale: "1-10",
  n: 4,
});
const RATERS = [rater("person", "Ann"), rater("person", "Bob"), rater("judge", "gpt")];

test("people count until somebody chooses, and all of a kind need no names", () => {
  const body = toRankingSet(emptyRanking, RATERS, { queue_id: "q" }, "Check");
  expect(body).toMatchObject({
    name: "Check",
    source: { queue_id: "q" },
    settings: { sources: ["person"], raters: ["Ann", "Bob"], tie_tolerance: 0, min_ratings: 1 },
  });
});

test("a judge alone counts where nobody else has rated", () => {
  const body = toRankingSet(emptyRanking, [rater("judge", "gpt")], { run_id: "r" }, "Judge");
  expect(body?.settings).toMatchObject({ sources: ["judge"], raters: [] });
});

test("chosen raters are named; nothing chosen or unreadable is no set", () => {
  const chosen = { ...emptyRanking, raters: [raterKey(rater("judge", "gpt"))] };
  expect(toRankingSet(chosen, RATERS, { run_id: "r" }, "x")?.settings).toMatchObject({
    sources: ["judge"],
    raters: ["gpt"],
  });
  expect(toRankingSet({ ...emptyRanking, raters: [] }, RATERS, { run_id: "r" }, "x")).toBeNull();
  expect(
    toRankingSet({ ...emptyRanking, minRatings: "" }, RATERS, { run_id: "r" }, "x"),
  ).toBeNull();
});
