import type { ApiError } from "@/api/errors";
import type { Submission } from "../queries";

/** What waits to be stored: kept in the browser until the server confirms it. */
export type Parcel = {
  /** Made once; the server stores a submission of this id once, however often it is sent. */
  id: string;
  personId: string;
  queueId: string;
  itemId: number;
} & ({ kind: "review"; body: Submission } | { kind: "undo" });

export type Send = (parcel: Parcel) => Promise<void>;

const STORE = "aft:review:outbox";

/**
 * Sends parcels one after the other, in their order. A server that does not answer is asked again; a
 * refusal is final, and told.
 */
export class Outbox {
  private sending: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private snapshot: readonly Parcel[];
  private readonly listeners = new Set<() => void>();
  private readonly send: Send;
  private readonly onRefused: (parcel: Parcel, error: ApiError) => void;

  constructor(send: Send, onRefused: (parcel: Parcel, error: ApiError) => void) {
    this.send = send;
    this.onRefused = onRefused;
    this.snapshot = read();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly current = (): readonly Parcel[] => this.snapshot;

  add(parcel: Parcel): void {
    this.keep([...read(), parcel]);
    void this.flush(parcel.personId);
  }

  /** Takes a parcel out that has not left yet; false when it has. */
  takeBack(id: string): boolean {
    if (this.sending === id || this.failures > 0 || !read().some((one) => one.id === id))
      return false;
    this.keep(read().filter((one) => one.id !== id));
    return true;
  }

  /** Sends what this person has waiting. */
  async flush(personId: string): Promise<void> {
    if (this.sending !== null) return;
    clearTimeout(this.timer);
    for (;;) {
      const parcel = read().find((one) => one.personId === personId);
      if (parcel === undefined) return;
      this.sending = parcel.id;
      try {
        await this.send(parcel);
        this.failures = 0;
      } catch (error) {
        if (!isRefusal(error)) {
          this.failures += 1;
          const wait = Math.min(15_000, 500 * 2 ** this.failures);
          this.timer = setTimeout(() => void this.flush(personId), wait);
          return;
        }
        this.failures = 0;
        this.onRefused(parcel, error);
      } finally {
        this.sending = null;
      }
      this.keep(read().filter((one) => one.id !== parcel.id));
    }
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private keep(parcels: readonly Parcel[]): void {
    this.snapshot = parcels;
    try {
      localStorage.setItem(STORE, JSON.stringify(parcels));
    } catch {
      memory = parcels;
    }
    for (const listener of this.listeners) listener();
  }
}

let memory: readonly Parcel[] = [];

// Read from the store each time: another tab of the same browser may have sent its part.
function read(): Parcel[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(STORE) ?? "[]");
    return Array.isArray(kept) ? kept.filter(isParcel) : [];
  } catch {
    return [...memory];
  }
}

function isParcel(value: unknown): value is Parcel {
  if (typeof value !== "object" || value === null) return false;
  const { id, personId, queueId, itemId, kind } = value as Partial<Parcel>;
  return (
    typeof id === "string" &&
    typeof personId === "string" &&
    typeof queueId === "string" &&
    typeof itemId === "number" &&
    (kind === "undo" || (kind === "review" && "body" in value))
  );
}

/** A refusal by the server; everything else may work the next time. */
function isRefusal(error: unknown): error is ApiError {
  if (!(error instanceof Error) || !("status" in error)) return false;
  const { status } = error as ApiError;
  return status >= 400 && status < 500 && ![401, 408, 425, 429].includes(status);
}
