import { beforeEach, expect, test, vi } from "vitest";
import { problemOf, unreachable } from "@/api/errors";
import { Outbox, type Parcel } from "./outbox";

const parcel = (id: string): Parcel => ({
  id,
  personId: "ann",
  queueId: "q",
  itemId: 1,
  kind: "undo",
});

beforeEach(() => {
  localStorage.clear();
  vi.useFakeTimers();
});

test("a parcel leaves once and is forgotten when it arrived", async () => {
  const sent: string[] = [];
  const outbox = new Outbox(async (one) => void sent.push(one.id), vi.fn());
  outbox.add(parcel("one"));
  outbox.add(parcel("two"));
  await vi.runAllTimersAsync();
  expect(sent).toEqual(["one", "two"]);
  expect(outbox.current()).toEqual([]);
});

test("without a connection it is kept, also by a page that is loaded again, and sent in order", async () => {
  let online = false;
  const sent: string[] = [];
  const send = async (one: Parcel) => {
    if (!online) throw unreachable();
    sent.push(one.id);
  };
  const outbox = new Outbox(send, vi.fn());
  outbox.add(parcel("one"));
  outbox.add(parcel("two"));
  await vi.advanceTimersByTimeAsync(3_000);
  expect(outbox.current().map((one) => one.id)).toEqual(["one", "two"]);
  outbox.stop();
  online = true;
  const reloaded = new Outbox(send, vi.fn());
  expect(reloaded.current()).toHaveLength(2);
  await reloaded.flush("ann");
  expect(sent).toEqual(["one", "two"]);
});

test("a refusal is told and does not hold up the rest", async () => {
  const refused: string[] = [];
  const sent: string[] = [];
  const outbox = new Outbox(
    async (one) => {
      if (one.id === "one") throw problemOf(409, { title: "taken" });
      sent.push(one.id);
    },
    (one) => void refused.push(one.id),
  );
  outbox.add(parcel("one"));
  outbox.add(parcel("two"));
  await vi.runAllTimersAsync();
  expect(refused).toEqual(["one"]);
  expect(sent).toEqual(["two"]);
});

test("somebody else's parcels wait until they are back", async () => {
  const sent: string[] = [];
  const outbox = new Outbox(async (one) => void sent.push(one.id), vi.fn());
  outbox.add({ ...parcel("hers"), personId: "bea" });
  await vi.runAllTimersAsync();
  localStorage.setItem(
    "aft:review:outbox",
    JSON.stringify([{ ...parcel("his"), personId: "cid" }]),
  );
  await outbox.flush("ann");
  expect(sent).toEqual(["hers"]);
});
