import { problemOf } from "./errors";

/**
 * Saves a file that the server makes. A plain link would save an error as if it were the file.
 *
 * @throws {ApiError} When the server answered with a problem.
 */
export async function download(href: string, otherwise: string): Promise<void> {
  const response = await fetch(href);
  if (!response.ok) throw problemOf(response.status, await response.json().catch(() => null));
  save(await response.blob(), fileName(response.headers.get("Content-Disposition")) ?? otherwise);
}

/** Saves a file that was made in this browser. */
export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads the address after this task.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** The file name that the server gave, or null. */
export function fileName(disposition: string | null): string | null {
  return disposition?.match(/filename="?([^";]+)"?/)?.[1] ?? null;
}
