import type { Query, QueryClient, QueryKey } from "@tanstack/react-query";

/** Something that happened on the server. */
export interface LiveEvent {
  id: number;
  topic: string;
  action: string;
  run_id: string | null;
  subject_id: string | null;
  data: Record<string, unknown>;
  created_at: string;
}

/**
 * Queries that an event puts out of date, by key: ["runs", "list", …], ["runs", id], ["runs", id, part, …].
 * `id` undefined means every one; `parts` names the sub-resources touched, "all" every one, [] none.
 */
export interface Staleness {
  noun: string;
  id?: string | undefined;
  lists: boolean;
  parts: "all" | readonly string[];
}

const NOUNS: Record<string, string> = {
  run: "runs",
  metric: "runs",
  experiment: "experiments",
  dataset: "datasets",
  model: "models",
  candidate: "cots",
  worker: "system",
};

/** What an event puts out of date. Frequent events touch little: progress does not redraw figures. */
export function stalenessOf(event: LiveEvent): Staleness[] {
  const id = event.run_id ?? event.subject_id ?? undefined;
  switch (event.topic) {
    case "metric":
      return [
        { noun: "runs", id, lists: false, parts: ["figures", "series"] },
        { noun: "experiments", lists: false, parts: ["figures:curves"] },
      ];
    case "run":
      if (isFrequent(event))
        return [
          { noun: "runs", id, lists: true, parts: ["log"] },
          { noun: "experiments", lists: true, parts: [] },
          { noun: "datasets", lists: false, parts: ["import"] },
        ];
      return [
        { noun: "runs", id, lists: true, parts: "all" },
        { noun: "experiments", lists: true, parts: "all" },
        { noun: "datasets", lists: true, parts: "all" },
        { noun: "models", lists: true, parts: "all" },
        { noun: "cots", lists: true, parts: "all" },
        { noun: "system", lists: true, parts: "all" },
      ];
    default: {
      const noun = NOUNS[event.topic] ?? event.topic;
      const subject = event.subject_id ?? undefined;
      return [
        { noun, id: subject, lists: true, parts: "all" },
        { noun: "system", lists: true, parts: "all" },
      ];
    }
  }
}

/** Progress and log lines come several times a second; state changes are rare and must not be missed. */
export const isFrequent = (event: LiveEvent): boolean =>
  event.topic === "metric" || event.action === "progress" || event.action === "log";

/** Whether a query with this key is put out of date. */
export function touches(stale: Staleness, key: QueryKey): boolean {
  const [noun, id, part, name] = key;
  if (noun !== stale.noun) return false;
  if (id === undefined || id === "list" || id === "active") return stale.lists;
  if (stale.id !== undefined && id !== stale.id) return false;
  if (part === undefined) return stale.lists;
  if (stale.parts === "all") return true;
  return stale.parts.includes(String(part)) || stale.parts.includes(`${part}:${name}`);
}

const FLUSH_MS = 400;

/** Gathers what events put out of date and refetches it together; a hidden tab waits until it is seen. */
export class Invalidator {
  private readonly frequent = new Map<string, Staleness>();
  private readonly rare = new Map<string, Staleness>();
  /** Queries that are asked once more when their request is answered. */
  private readonly underWay = new Set<Query>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly client: QueryClient) {
    document.addEventListener("visibilitychange", this.plan);
  }

  take(event: LiveEvent): void {
    const waiting = isFrequent(event) ? this.frequent : this.rare;
    for (const stale of stalenessOf(event)) waiting.set(JSON.stringify(stale), stale);
    this.plan();
  }

  everything(): void {
    void this.client.invalidateQueries({ type: "active" }, { cancelRefetch: false });
  }

  stop(): void {
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.plan);
  }

  private readonly plan = (): void => {
    if (document.hidden || this.timer !== undefined) return;
    if (this.frequent.size + this.rare.size === 0) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.flush();
    }, FLUSH_MS);
  };

  private flush(): void {
    this.invalidate([...this.rare.values()], true);
    this.invalidate([...this.frequent.values()], false);
    this.rare.clear();
    this.frequent.clear();
  }

  /**
   * Asks again for what is out of date. A request under way finishes: cancelled at every event of a quick experiment,
   * a slow one would never be answered. What it brings may be from before the event, so `again` asks once more then.
   */
  private invalidate(stale: Staleness[], again: boolean): void {
    if (stale.length === 0) return;
    const predicate = (query: Query) => stale.some((one) => touches(one, query.queryKey));
    if (again)
      for (const query of this.client
        .getQueryCache()
        .findAll({ predicate, fetchStatus: "fetching" }))
        this.askAgainAfter(query);
    void this.client.invalidateQueries({ predicate }, { cancelRefetch: false });
  }

  private askAgainAfter(query: Query): void {
    if (this.underWay.has(query)) return;
    this.underWay.add(query);
    const settled = () => {
      this.underWay.delete(query);
      const exact = { queryKey: query.queryKey, exact: true };
      void this.client.invalidateQueries(exact, { cancelRefetch: false });
    };
    void Promise.resolve(query.promise).then(settled, settled);
  }
}
