/**
 * Live updates: server events mark queries as out of date.
 *
 * Browsers allow six HTTP/1.1 connections to one server over all tabs, so a stream per tab would hang the
 * seventh. The tabs therefore share one: whoever holds the lock keeps it open and passes the events on.
 * Without Web Locks (a page that is not a secure context) every tab has its own.
 */
import type { QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { Invalidator, type LiveEvent } from "./invalidation";
import { EventStream, type StreamStatus } from "./stream";

const LOCK = "aft-live";
const POLL_MS = 5_000;

type Message =
  | { kind: "event"; event: LiveEvent }
  | { kind: "status"; status: StreamStatus }
  | { kind: "hello" };

let status: StreamStatus = "connecting";
const listeners = new Set<() => void>();
const followers = new Set<(event: LiveEvent) => void>();

function setStatus(next: StreamStatus): void {
  if (next === status) return;
  status = next;
  for (const listener of listeners) listener();
}

/** "live", "connecting", or "polling" when the stream cannot be opened. */
export const useLiveStatus = (): StreamStatus =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => status,
  );

/** Calls back with every event, for what a query cannot say. Returns how to stop. */
export function onLiveEvent(listener: (event: LiveEvent) => void): () => void {
  followers.add(listener);
  return () => followers.delete(listener);
}

/** Keeps the query cache current until the returned function is called. */
export function startLive(client: QueryClient): () => void {
  const invalidator = new Invalidator(client);
  const channel = "BroadcastChannel" in window ? new BroadcastChannel(LOCK) : null;
  const stopping = new AbortController();
  let newest: number | undefined;

  const receive = (event: LiveEvent) => {
    if (newest !== undefined && event.id <= newest) return;
    newest = event.id;
    invalidator.take(event);
    for (const follower of followers) follower(event);
  };
  const follow = (next: StreamStatus) => {
    // A stream that has just opened may have missed what happened before.
    if (next === "live" && status !== "live") invalidator.everything();
    setStatus(next);
  };
  const lead = () =>
    new EventStream({
      after: () => newest,
      onEvent: (event) => {
        receive(event);
        channel?.postMessage({ kind: "event", event } satisfies Message);
      },
      onStatus: (next) => {
        follow(next);
        channel?.postMessage({ kind: "status", status: next } satisfies Message);
      },
    });

  let own: EventStream | undefined;
  if (channel !== null) {
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.kind === "event") receive(data.event);
      else if (data.kind === "status") follow(data.status);
      else if (own !== undefined) channel.postMessage({ kind: "status", status } satisfies Message);
    };
  }
  if (channel !== null && navigator.locks !== undefined) {
    // A tab that waits for the lock follows the one that has it, and asks it how things are.
    channel.postMessage({ kind: "hello" } satisfies Message);
    void navigator.locks
      .request(LOCK, { signal: stopping.signal }, () => {
        own = lead();
        return new Promise<void>((resolve) =>
          stopping.signal.addEventListener("abort", () => resolve()),
        );
      })
      .catch(() => undefined); // the page left before its turn came
  } else {
    own = lead();
  }
  const poll = setInterval(() => {
    if (status === "polling") invalidator.everything();
  }, POLL_MS);

  return () => {
    stopping.abort();
    own?.close();
    channel?.close();
    clearInterval(poll);
    invalidator.stop();
  };
}
