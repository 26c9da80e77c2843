import { expect, test } from "vitest";
import { emptyJudge, fromJudge, isWrite, toJudge } from "./judgeForm";
import type { Judge } from "./queries";

const filled = { ...emptyJudge, base_url: " http://127.0.0.1:8000/v1 ", model: "m" };

test("empty limits are none, and an untouched key stays out of the request", () => {
  const made = toJudge(filled);
  expect(made).toMatchObject({
    base_url: "http://127.0.0.1:8000/v1",
    budget_usd: null,
    concurrency: 8,
    max_retries: 6,
  });
  expect(made).not.toHaveProperty("api_key");
  expect(isWrite(made)).toBe(true);
});

test("a key is sent when typed, and removed only when asked for", () => {
  expect(toJudge({ ...filled, api_key: "k" })).toMatchObject({ api_key: "k" });
  expect(toJudge({ ...filled, api_key: "k", removesKey: true })).toMatchObject({ api_key: "" });
});

test("what cannot be read is said beside its field", () => {
  const made = toJudge({ ...emptyJudge, budget_usd: "ten", concurrency: "1.5", max_retries: "" });
  expect(isWrite(made)).toBe(false);
  expect(Object.keys(made).sort()).toEqual([
    "base_url",
    "budget_usd",
    "concurrency",
    "max_retries",
    "model",
  ]);
});

test("a stored endpoint fills the form without its key", () => {
  const judge = {
    base_url: "http://a/v1",
    model: "m",
    has_key: true,
    concurrency: 4,
    budget_usd: 2.5,
  } as Judge;
  expect(fromJudge(judge)).toMatchObject({ api_key: "", concurrency: "4", budget_usd: "2.5" });
});
