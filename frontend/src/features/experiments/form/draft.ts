import { CHOICE_PATHS, LIST_PATHS, NUMBER_PATHS } from "./fields";
import type { FormValues } from "./values";

/** A form that survives a reload of its tab, with the id under which it starts once. */
export interface Draft {
  values: FormValues;
  requestId: string;
}

const keyOf = (source: string): string => `aft:new-experiment:${source}`;

export const newRequestId = (): string => crypto.randomUUID().replaceAll("-", "");

/** The draft of a form by where it starts from; null when there is none, or one of an older form. */
export function loadDraft(source: string): Draft | null {
  try {
    const draft: unknown = JSON.parse(sessionStorage.getItem(keyOf(source)) ?? "null");
    return isDraft(draft) ? draft : null;
  } catch {
    return null;
  }
}

export function saveDraft(source: string, draft: Draft): void {
  try {
    sessionStorage.setItem(keyOf(source), JSON.stringify(draft));
  } catch {
    // Without storage the form works, and only forgets on a reload.
  }
}

export function forgetDraft(source: string): void {
  try {
    sessionStorage.removeItem(keyOf(source));
  } catch {
    // As above.
  }
}

function isDraft(value: unknown): value is Draft {
  if (typeof value !== "object" || value === null) return false;
  const { values, requestId } = value as Partial<Draft>;
  return (
    typeof requestId === "string" &&
    typeof values === "object" &&
    values !== null &&
    Array.isArray(values.methods) &&
    values.methods.every((one) => typeof one.epochsFactor === "string") &&
    Array.isArray(values.seeds) &&
    typeof values.kept === "object" &&
    Array.isArray(values.trackers) &&
    LIST_PATHS.every((path) => Array.isArray(values.lists?.[path])) &&
    NUMBER_PATHS.every((path) => typeof values.numbers?.[path] === "string") &&
    CHOICE_PATHS.every((path) => typeof values.choices?.[path] === "string")
  );
}
