import { problemOf } from "./errors";

/**
 * Saves a file that the server makes. A plain link would save an error as if it were the file.
 *
 * @throws {ApiError} When the server answered with a problem.
 */
export async function download(href: string, otherwise: string): Promise<void> {
  const response = await fetch(href);
  if (!response.ok) throw problemOf(response.status, await response.json().catch(() => null));
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName(response.headers.get("Content-Disposition")) ?? otherwise;
  link.click();
  // The browser reads the address after this task.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** The file name that the server gave, or null. */
export function fileName(disposition: string | null): string | null {
  return disposition?.match(/filename="?([^";]+)"?/)?.[1] ?? null;
}
