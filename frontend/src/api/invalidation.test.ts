import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Invalidator, isFrequent, type LiveEvent, stalenessOf, touches } from "./invalidation";

const event = (fields: Partial<LiveEvent>): LiveEvent => ({
  id: 1,
  topic: "run",
  action: "progress",
  run_id: "r1",
  subject_id: null,
  data: {},
  created_at: "",
  ...fields,
});

const stale = (fields: Partial<LiveEvent>, key: readonly unknown[]) =>
  stalenessOf(event(fields)).some((one) => touches(one, key));

test("progress touches the run and the lists, not the figures", () => {
  expect(stale({}, ["runs", "r1"])).toBe(true);
  expect(stale({}, ["runs", "list", { state: "running" }])).toBe(true);
  expect(stale({}, ["runs", "active"])).toBe(true);
  expect(stale({}, ["experiments", "e1"])).toBe(true);
  expect(stale({}, ["runs", "r2"])).toBe(false);
  expect(stale({}, ["runs", "r1", "figures", "loss"])).toBe(false);
  expect(stale({}, ["experiments", "e1", "comparison"])).toBe(false);
});

test("a new state touches everything that may show it", () => {
  const done = { action: "succeeded" };
  expect(stale(done, ["experiments", "e1", "figures", "task"])).toBe(true);
  expect(stale(done, ["runs", "r1", "log"])).toBe(true);
  expect(stale(done, ["system"])).toBe(true);
  expect(stale(done, ["runs", "r2", "log"])).toBe(false);
});

test("metric points touch curves only", () => {
  const points = { topic: "metric", action: "points" };
  expect(stale(points, ["runs", "r1", "figures", "loss"])).toBe(true);
  expect(stale(points, ["runs", "r1"])).toBe(false);
  expect(stale(points, ["experiments", "e1", "figures", "curves"])).toBe(true);
  expect(stale(points, ["experiments", "e1", "figures", "task"])).toBe(false);
});

test("a data set's event touches that data set and the lists", () => {
  const imported = { topic: "dataset", action: "imported", run_id: null, subject_id: "d1" };
  expect(stale(imported, ["datasets", "d1"])).toBe(true);
  expect(stale(imported, ["datasets", "list"])).toBe(true);
  expect(stale(imported, ["datasets", "d2"])).toBe(false);
  expect(isFrequent(event(imported))).toBe(false);
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("many events refetch once, and a hidden tab waits until it is seen", async () => {
  const client = new QueryClient();
  const invalidate = vi.spyOn(client, "invalidateQueries").mockResolvedValue();
  const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
  const invalidator = new Invalidator(client);
  for (let id = 0; id < 50; id += 1) invalidator.take(event({ id }));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(invalidate).not.toHaveBeenCalled();
  hidden.mockReturnValue(false);
  document.dispatchEvent(new Event("visibilitychange"));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(invalidate).toHaveBeenCalledTimes(1);
  invalidator.stop();
});

test("a request under way is answered, however often things happen, and then asked once more", async () => {
  const client = new QueryClient();
  const answers: ((value: string) => void)[] = [];
  const queryKey = ["experiments", "e1", "comparison"];
  const queryFn = vi.fn(
    ({ signal }: { signal: AbortSignal }) =>
      new Promise<string>((resolve, reject) => {
        answers.push(resolve);
        signal.addEventListener("abort", () => reject(new Error("aborted")));
      }),
  );
  const observer = new QueryObserver(client, { queryKey, queryFn });
  const stop = observer.subscribe(() => undefined);
  const invalidator = new Invalidator(client);
  for (let id = 0; id < 5; id += 1) {
    invalidator.take(event({ id, topic: "run", action: "succeeded", run_id: `r${id}` }));
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(queryFn).toHaveBeenCalledTimes(1);
  answers[0]?.("before");
  await vi.advanceTimersByTimeAsync(10);
  expect(client.getQueryData(queryKey)).toBe("before");
  expect(queryFn).toHaveBeenCalledTimes(2);
  answers[1]?.("after");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(client.getQueryData(queryKey)).toBe("after");
  expect(queryFn).toHaveBeenCalledTimes(2);
  stop();
  invalidator.stop();
});
