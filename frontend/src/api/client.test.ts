import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { answerRequests } from "@/test/network";
import { api, unwrap } from "./client";
import { connection } from "./connection";
import { ApiError } from "./errors";

beforeEach(() => {
  vi.useFakeTimers();
  connection.answered(200);
});
afterEach(() => {
  connection.answered(200);
  vi.useRealTimers();
});

const readSystem = async () => unwrap(await api.GET("/api/v1/system"));

test("an answer is unwrapped", async () => {
  answerRequests({ "GET /api/v1/system": { body: { version: "0.1.0" } } });
  await expect(readSystem()).resolves.toMatchObject({ version: "0.1.0" });
});

test("a problem becomes an ApiError", async () => {
  answerRequests({
    "GET /api/v1/system": { status: 409, body: { title: "Not possible", detail: "It runs." } },
  });
  const error = await readSystem().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 409, title: "Not possible", detail: "It runs." });
});

test("no session turns the page into the way to sign in", async () => {
  answerRequests({ "GET /api/v1/system": { status: 401, body: {} } });
  await expect(readSystem()).rejects.toMatchObject({ status: 401 });
  expect(connection.current()).toBe("signed-out");
});

test("a server that is away is asked for until it answers", async () => {
  const answers: Record<string, { status?: number; body?: unknown }> = {};
  answerRequests(answers);
  const restored = vi.fn();
  const stop = connection.onRestored(restored);
  await expect(readSystem()).rejects.toMatchObject({ status: 0 });
  expect(connection.current()).toBe("offline");
  await vi.advanceTimersByTimeAsync(5_000);
  expect(connection.current()).toBe("offline");
  answers["GET /health"] = { body: { status: "ok" } };
  await vi.advanceTimersByTimeAsync(15_000);
  expect(connection.current()).toBe("online");
  expect(restored).toHaveBeenCalledTimes(1);
  stop();
});

test("a gateway's error counts as no answer", async () => {
  answerRequests({ "GET /api/v1/system": { status: 502, body: {} } });
  await expect(readSystem()).rejects.toMatchObject({ status: 0 });
  expect(connection.current()).toBe("offline");
});
