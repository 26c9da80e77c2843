import createClient from "openapi-fetch";
import { connection } from "./connection";
import { ApiError, problemOf, unreachable } from "./errors";
import type { components, paths } from "./schema";

/** A schema of the API by its name: `Schema<"RunSummary">`. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

// A proxy in front of a server that is down answers with these.
const GATEWAY_STATUSES = new Set([502, 504]);

async function observedFetch(request: Request): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    connection.lost();
    throw unreachable();
  }
  if (GATEWAY_STATUSES.has(response.status)) {
    connection.lost();
    throw unreachable();
  }
  connection.answered(response.status);
  return response;
}

/** The API with the types of its OpenAPI schema. */
export const api = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: observedFetch,
});

/**
 * The data of an answer.
 *
 * @throws {ApiError} When the server answered with a problem.
 */
export function unwrap<Data>(result: { data?: Data; error?: unknown; response: Response }): Data {
  if (!result.response.ok) throw problemOf(result.response.status, result.error);
  return result.data as Data;
}

/** An error as ApiError, or undefined when it is of another kind. */
export const asApiError = (error: unknown): ApiError | undefined =>
  error instanceof ApiError ? error : undefined;
