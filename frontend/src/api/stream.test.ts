import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EventStream, parseEvent, type StreamStatus } from "./stream";

class FakeSource {
  static opened: FakeSource[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  constructor(readonly url: string) {
    FakeSource.opened.push(this);
  }
  close() {
    this.closed = true;
  }
}

const newest = () => FakeSource.opened.at(-1) as FakeSource;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSource.opened = [];
  vi.stubGlobal("EventSource", FakeSource);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function start() {
  const seen: number[] = [];
  const states: StreamStatus[] = [];
  const stream = new EventStream({
    after: () => seen.at(-1),
    onEvent: (event) => seen.push(event.id),
    onStatus: (status) => states.push(status),
  });
  return { stream, seen, states };
}

const message = (id: number) => ({ data: JSON.stringify({ id, topic: "run" }) });

test("a broken stream opens again after the last event seen", async () => {
  const { seen, states } = start();
  newest().onopen?.();
  newest().onmessage?.(message(7));
  newest().onerror?.();
  expect(FakeSource.opened[0]?.closed).toBe(true);
  await vi.advanceTimersByTimeAsync(600);
  expect(newest().url).toBe("/api/v1/events?after=7");
  newest().onopen?.();
  newest().onmessage?.(message(8));
  expect(seen).toEqual([7, 8]);
  expect(states).toEqual(["live", "connecting", "live"]);
});

test("a stream that cannot be opened falls back to polling and keeps trying", async () => {
  const { states } = start();
  for (let failure = 0; failure < 3; failure += 1) {
    newest().onerror?.();
    await vi.advanceTimersByTimeAsync(20_000);
  }
  expect(states.at(-1)).toBe("polling");
  expect(FakeSource.opened).toHaveLength(4);
  newest().onopen?.();
  expect(states.at(-1)).toBe("live");
});

test("a closed stream stays closed", async () => {
  const { stream } = start();
  stream.close();
  newest().onerror?.();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeSource.opened).toHaveLength(1);
});

test("a message that is no event is passed over", () => {
  expect(parseEvent("not json")).toBeNull();
  expect(parseEvent('{"id": "7"}')).toBeNull();
  expect(parseEvent('{"id": 7, "topic": "run", "action": "running"}')).toMatchObject({
    id: 7,
    action: "running",
    run_id: null,
  });
});
