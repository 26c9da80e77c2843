import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "react";
import { api, unwrap } from "@/api/client";
import { connection } from "@/api/connection";
import { notifyError } from "@/components/notify";
import type { Person, Queue } from "../queries";
import { type Draft, forgetDraft, loadDraft, saveDraft, submissionOf } from "./draft";
import { Outbox, type Parcel } from "./outbox";
import { emptyTrail, lastSent, openAhead, reduceTrail } from "./trail";
import { useStopwatch } from "./useStopwatch";

const AHEAD = 3;
const MOST_HELD = 8;
const RENEW_MS = 120_000;

// Sorts by time, so that the newest submission of a session is the greatest.
const newSubmissionId = (): string =>
  `${Date.now().toString(36).padStart(9, "0")}-${crypto.randomUUID().replaceAll("-", "").slice(0, 20)}`;

/** A reviewer at work: items held ahead, drafts kept, submissions sent in the background and never twice. */
export function useSession(queue: Queue, person: Person) {
  const [trail, change] = useReducer(reduceTrail, emptyTrail);
  const [problem, setProblem] = useState<unknown>(null);
  const [pending, setPending] = useState(0);
  const fetching = useRef(false);
  const client = useQueryClient();
  const latest = useRef(trail);
  latest.current = trail;

  const outbox = useMemo(
    () =>
      new Outbox(
        async (parcel) => {
          const progress = await send(parcel);
          if (parcel.queueId === queue.id) change({ kind: "counted", progress });
        },
        (parcel, error) => {
          notifyError(error);
          // A conflict means that the places are taken or the queue was closed: go on without the item.
          if (parcel.queueId === queue.id) change({ kind: "took-back", itemId: parcel.itemId });
          if (error.status === 409) change({ kind: "lost", itemIds: [parcel.itemId] });
        },
      ),
    [queue.id],
  );

  useEffect(() => {
    const show = () => setPending(outbox.current().length);
    show();
    const stopListening = outbox.subscribe(show);
    const stopWaiting = connection.onRestored(() => void outbox.flush(person.id));
    void outbox.flush(person.id);
    return () => {
      stopListening();
      stopWaiting();
      outbox.stop();
      void client.invalidateQueries({ queryKey: ["review"] });
    };
  }, [outbox, person.id, client]);

  const ahead = openAhead(trail);
  const fetchNext = useCallback(async () => {
    if (fetching.current) return;
    fetching.current = true;
    try {
      // Judged here, and for the server still mine to judge: also those that arrive while it answers.
      const judged = new Set(
        outbox
          .current()
          .filter((one) => one.kind === "review" && one.queueId === queue.id)
          .map((one) => one.itemId),
      );
      const waiting = judged.size;
      const count = Math.min(MOST_HELD, openAhead(latest.current) + waiting + AHEAD);
      const answer = unwrap(
        await api.POST("/api/v1/review-queues/{queue_id}/next", {
          params: { path: { queue_id: queue.id } },
          body: { count },
        }),
      );
      setProblem(null);
      change({
        kind: "handed",
        items: answer.items.filter((item) => !judged.has(item.id)),
        progress: answer.progress,
        load: (item) => loadDraft(person.id, item),
      });
    } catch (error) {
      setProblem(error);
    } finally {
      fetching.current = false;
    }
  }, [queue.id, person.id, outbox]);

  const wantsMore = ahead < 2 && !trail.exhausted;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each judgement is a reason to look again
  useEffect(() => {
    if (wantsMore && problem === null) void fetchNext();
  }, [wantsMore, problem, fetchNext, ahead]);
  useEffect(
    () =>
      connection.onRestored(() => {
        setProblem(null);
      }),
    [],
  );

  const entry = trail.entries[trail.at];
  const stopwatch = useStopwatch(entry?.item.id);

  // Leases are kept while the page is seen.
  useEffect(() => {
    const renew = async () => {
      const ids = latest.current.entries
        .filter((one) => one.status === "open")
        .map((one) => one.item.id);
      if (document.hidden || ids.length === 0) return;
      try {
        const answer = unwrap(
          await api.POST("/api/v1/review-queues/{queue_id}/leases", {
            params: { path: { queue_id: queue.id } },
            body: { item_ids: ids.slice(0, 16) },
          }),
        );
        if (answer.lost.length > 0) change({ kind: "lost", itemIds: answer.lost });
      } catch {
        // The next round tries again; a lease that ended is told when the review is sent.
      }
    };
    const timer = setInterval(() => void renew(), RENEW_MS);
    document.addEventListener("visibilitychange", renew);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", renew);
    };
  }, [queue.id]);

  const draft = (next: Draft) => {
    if (entry === undefined) return;
    change({ kind: "drafted", draft: next });
    saveDraft(person.id, entry.item.id, { ...next, seconds: next.seconds + stopwatch.read() });
  };
  const post = (
    body: Parcel & { kind: "review" },
    kept: Draft,
    status: "submitted" | "skipped",
  ) => {
    change({ kind: "sent", status, submissionId: body.id, draft: kept });
    forgetDraft(person.id, body.itemId);
    outbox.add(body);
  };
  const parcelOf = (kept: Draft): Parcel & { kind: "review" } => {
    const id = newSubmissionId();
    const item = entry?.item;
    if (item === undefined) throw new Error("there is no item to submit");
    return {
      kind: "review",
      id,
      personId: person.id,
      queueId: queue.id,
      itemId: item.id,
      body: submissionOf(item, kept, id),
    };
  };
  const timed = (): Draft | undefined =>
    entry && { ...entry.draft, seconds: entry.draft.seconds + stopwatch.take() };

  return {
    trail,
    entry,
    problem,
    pending,
    retry: () => void fetchNext(),
    draft,
    submit: () => {
      const kept = timed();
      if (kept !== undefined) post(parcelOf(kept), kept, "submitted");
    },
    skip: (reason: string) => {
      const kept = timed();
      if (kept === undefined) return;
      const parcel = parcelOf(kept);
      const body = {
        ...parcel.body,
        action: "skip" as const,
        values: {},
        tiers: [],
        steps: {},
        reason,
      };
      post({ ...parcel, body }, kept, "skipped");
    },
    undo: (): boolean => {
      const last = lastSent(latest.current);
      if (last === undefined) return false;
      change({ kind: "took-back", itemId: last.item.id });
      saveDraft(person.id, last.item.id, last.draft);
      if (last.submissionId !== undefined && outbox.takeBack(last.submissionId)) return true;
      outbox.add({
        kind: "undo",
        id: newSubmissionId(),
        personId: person.id,
        queueId: queue.id,
        itemId: last.item.id,
      });
      return true;
    },
    move: async (by: 1 | -1) => {
      if (by === 1 || trail.at > 0) return change({ kind: "moved", by });
      const earlier = await earlierItem(
        queue.id,
        new Set(trail.entries.map((one) => one.item.id)),
      ).catch(() => null);
      if (earlier !== null) change({ kind: "earlier", item: earlier });
    },
  };
}

/** The latest item of mine that this session has not met. */
async function earlierItem(queueId: string, known: ReadonlySet<number>) {
  const path = { queue_id: queueId };
  const history = unwrap(
    await api.GET("/api/v1/review-queues/{queue_id}/history", {
      params: { path, query: { limit: 200 } },
    }),
  );
  const found = history.items.find((one) => !known.has(one.item_id));
  if (found === undefined) return null;
  return unwrap(
    await api.GET("/api/v1/review-items/{item_id}", {
      params: { path: { item_id: found.item_id } },
    }),
  );
}

async function send(parcel: Parcel) {
  const params = { path: { item_id: parcel.itemId } };
  if (parcel.kind === "undo")
    return unwrap(
      await api.POST("/api/v1/review-items/{item_id}/undo", {
        params,
        body: { submission_id: parcel.id },
      }),
    ).progress;
  return unwrap(
    await api.POST("/api/v1/review-items/{item_id}/reviews", { params, body: parcel.body }),
  ).progress;
}
