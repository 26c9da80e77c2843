import { vi } from "vitest";

type Answer = { status?: number; body?: unknown; type?: string };

/**
 * Answers requests by "METHOD /path" without the query; anything else fails the test.
 * An answer may be a function of the request, to look at what was sent.
 */
export function answerRequests(
  answers: Record<string, Answer | ((request: Request) => Answer | Promise<Answer>)>,
) {
  const requests: Request[] = [];
  const fetching = vi.fn(async (input: RequestInfo | URL, init?: RequestInit) => {
    const request =
      input instanceof Request
        ? input
        : new Request(new URL(String(input), window.location.href), init);
    requests.push(request.clone());
    const key = `${request.method} ${new URL(request.url).pathname}`;
    const found = answers[key];
    if (found === undefined) throw new TypeError(`The test has no answer for ${key}.`);
    const { status = 200, body, type } = typeof found === "function" ? await found(request) : found;
    const kind = type ?? (status < 400 ? "application/json" : "application/problem+json");
    return new Response(status === 204 ? null : JSON.stringify(body ?? null), {
      status,
      headers: { "Content-Type": kind },
    });
  });
  vi.stubGlobal("fetch", fetching);
  return { requests, fetching };
}
