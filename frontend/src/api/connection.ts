/**
 * Whether the server answers and knows this browser. One store for the page, because it is one fact:
 * the banner, the sign-in page and the live stream all follow it.
 */
export type ConnectionState = "online" | "offline" | "signed-out";

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 10_000;

class Connection {
  private state: ConnectionState = "online";
  private readonly listeners = new Set<() => void>();
  private readonly restored = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly current = (): ConnectionState => this.state;

  /** Calls back when the server answers again after it was away. */
  onRestored(listener: () => void): () => void {
    this.restored.add(listener);
    return () => this.restored.delete(listener);
  }

  /** A request got an answer of this status. */
  answered(status: number): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const before = this.state;
    this.set(status === 401 ? "signed-out" : "online");
    if (before === "offline" && this.state === "online")
      for (const listener of this.restored) listener();
  }

  /** A request got no answer: ask for signs of life until there is one. */
  lost(): void {
    this.set("offline");
    if (this.timer === undefined) this.retry(FIRST_RETRY_MS);
  }

  private retry(wait: number): void {
    this.timer = setTimeout(async () => {
      const answer = await fetch("/health", { cache: "no-store" }).catch(() => null);
      if (answer?.ok) this.answered(200);
      else this.retry(Math.min(wait * 1.6, LONGEST_RETRY_MS));
    }, wait);
  }

  private set(state: ConnectionState): void {
    if (this.state === state) return;
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}

export const connection = new Connection();
