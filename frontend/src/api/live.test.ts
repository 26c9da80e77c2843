import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { onLiveEvent, startLive } from "./live";

/** One lock for all "tabs" of the test, granted in order. */
function fakeLocks() {
  let tail: Promise<unknown> = Promise.resolve();
  return {
    request: (_name: string, options: { signal: AbortSignal }, hold: () => Promise<void>) => {
      const turn = tail.then(() => (options.signal.aborted ? undefined : hold()));
      tail = turn;
      return turn;
    },
  };
}

class FakeSource {
  static opened: FakeSource[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  constructor(readonly url: string) {
    FakeSource.opened.push(this);
  }
  close() {}
}

class FakeChannel {
  static all = new Set<FakeChannel>();
  onmessage: ((event: { data: unknown }) => void) | null = null;
  constructor() {
    FakeChannel.all.add(this);
  }
  postMessage(data: unknown) {
    for (const other of FakeChannel.all) if (other !== this) other.onmessage?.({ data });
  }
  close() {
    FakeChannel.all.delete(this);
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  FakeSource.opened = [];
  FakeChannel.all.clear();
  vi.stubGlobal("EventSource", FakeSource);
  vi.stubGlobal("BroadcastChannel", FakeChannel);
  Object.defineProperty(navigator, "locks", { value: fakeLocks(), configurable: true });
});
afterEach(() => {
  vi.unstubAllGlobals();
  Reflect.deleteProperty(navigator, "locks");
});

const message = (id: number) => ({
  data: JSON.stringify({ id, topic: "run", action: "running", run_id: "r1" }),
});

test("tabs share one stream, and the next takes over after the last event seen", async () => {
  const leave = startLive(new QueryClient());
  const leaveSecond = startLive(new QueryClient());
  await settled();
  expect(FakeSource.opened).toHaveLength(1);

  const seen: number[] = [];
  const stop = onLiveEvent((event) => seen.push(event.id));
  FakeSource.opened[0]?.onopen?.();
  FakeSource.opened[0]?.onmessage?.(message(41));
  // Both tabs of this test share one module, so each event arrives once for each.
  expect(seen).toEqual([41, 41]);

  leave();
  await settled();
  expect(FakeSource.opened).toHaveLength(2);
  expect(FakeSource.opened[1]?.url).toBe("/api/v1/events?after=41");
  stop();
  leaveSecond();
});

test("without locks every tab has its own stream", async () => {
  Reflect.deleteProperty(navigator, "locks");
  const leave = startLive(new QueryClient());
  await settled();
  expect(FakeSource.opened).toHaveLength(1);
  leave();
});
