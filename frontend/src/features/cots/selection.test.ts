import { describe, expect, it } from "vitest";
import {
  countFilters,
  exportHref,
  forSet,
  readSelection,
  viewQuery,
  withValues,
} from "./selection";

const read = (query: string) => readSelection(new URLSearchParams(query));
const model = {
  model_run_id: "m1",
  model: "VFT",
  score: -1,
  n_scored: 3,
  n_violated: 0,
  n_questions_violated: 0,
};

describe("readSelection", () => {
  it("reads filters, order and place", () => {
    expect(
      read(
        "view=cots&sort=score&order=asc&verdict=wrong&min_tokens=5&violated=1&q=so&question=7&cot=31",
      ),
    ).toEqual({
      set: undefined,
      question: 7,
      cot: 31,
      view: "cots",
      sort: "score",
      descending: false,
      filter: { verdict: "wrong", q: "so", min_tokens: 5, violated: true },
    });
  });

  it("ignores what means nothing", () => {
    const found = read(
      "view=x&sort=margin&verdict=odd&min_tokens=a&violated=yes&question=-1&cot=x&q=",
    );
    expect(found.filter).toEqual({});
    expect(found.question).toBeUndefined();
    expect(found.cot).toBeUndefined();
    expect(found.sort).toBe("margin");
    expect(read("view=cots&sort=margin").sort).toBe("position");
  });
});

describe("forSet", () => {
  it("takes the first model where the one asked for did not score the set", () => {
    expect(forSet(read("model=other&violated=1"), { models: [model] }).filter).toEqual({
      model: "m1",
      violated: true,
    });
  });

  it("drops what needs scores where there are none", () => {
    const found = forSet(read("violated=1&min_score=-1&verdict=right&sort=margin"), { models: [] });
    expect(found.filter).toEqual({ verdict: "right" });
    expect(found.sort).toBe("position");
  });
});

it("counts filters without the model", () => {
  expect(countFilters({ model: "m1" })).toBe(0);
  expect(countFilters({ model: "m1", verdict: "right", min_tokens: 0 })).toBe(2);
});

it("keeps filters and order in a view, not the place", () => {
  const query = withValues(new URLSearchParams("set=a&question=3&verdict=right"), {
    sort: "margin",
  });
  expect(viewQuery(query)).toBe("verdict=right&sort=margin");
});

it("exports what passes the filter", () => {
  expect(exportHref("s", { verdict: "wrong", q: "a b" }, { format: "csv" })).toBe(
    "/api/v1/candidate-sets/s/export?verdict=wrong&q=a+b&format=csv",
  );
});
