import type { LiveEvent } from "./invalidation";

export type StreamStatus = "connecting" | "live" | "polling";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const FAILURES_UNTIL_POLLING = 3;

interface Options {
  /** Id of the newest event seen: the server replays what came after. */
  after: () => number | undefined;
  onEvent: (event: LiveEvent) => void;
  onStatus: (status: StreamStatus) => void;
}

/**
 * The server's event stream, opened again whenever it breaks.
 *
 * EventSource reconnects by itself only after some failures; opening it anew with the last id covers all.
 */
export class EventStream {
  private source: EventSource | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private closed = false;

  constructor(private readonly options: Options) {
    this.open();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.source?.close();
  }

  private open(): void {
    if (typeof EventSource === "undefined") {
      this.options.onStatus("polling");
      return;
    }
    const after = this.options.after();
    const source = new EventSource(`/api/v1/events${after === undefined ? "" : `?after=${after}`}`);
    this.source = source;
    source.onopen = () => {
      this.failures = 0;
      this.options.onStatus("live");
    };
    source.onmessage = (message: MessageEvent<string>) => {
      const event = parseEvent(message.data);
      if (event !== null) this.options.onEvent(event);
    };
    source.onerror = () => {
      source.close();
      if (this.closed) return;
      this.failures += 1;
      this.options.onStatus(this.failures >= FAILURES_UNTIL_POLLING ? "polling" : "connecting");
      const wait = Math.min(FIRST_WAIT_MS * 2 ** (this.failures - 1), LONGEST_WAIT_MS);
      this.timer = setTimeout(() => this.open(), wait);
    };
  }
}

/** The event of a message, or null for what is none: a broken message must not end the stream. */
export function parseEvent(text: string): LiveEvent | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return null;
    const event = value as Partial<LiveEvent>;
    if (typeof event.id !== "number" || typeof event.topic !== "string") return null;
    return {
      id: event.id,
      topic: event.topic,
      action: event.action ?? "",
      run_id: event.run_id ?? null,
      subject_id: event.subject_id ?? null,
      data: event.data ?? {},
      created_at: event.created_at ?? "",
    };
  } catch {
    return null;
  }
}
