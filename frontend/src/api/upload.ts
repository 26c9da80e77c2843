import type { Schema } from "./client";
import { problemOf } from "./errors";

/**
 * Streams a file to the server.
 *
 * @throws {ApiError} When the server did not take it.
 */
export async function sendFile(file: File): Promise<Schema<"UploadRead">> {
  const answer = await fetch(`/api/v1/uploads?filename=${encodeURIComponent(file.name)}`, {
    method: "POST",
    body: file,
  });
  const body: unknown = await answer.json();
  if (!answer.ok) throw problemOf(answer.status, body);
  return body as Schema<"UploadRead">;
}
