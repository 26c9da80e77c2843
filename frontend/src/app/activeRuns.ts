import { queryOptions } from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";

/** Runs that a worker holds, the oldest first, so that the tray does not reorder itself. */
export const activeRunsOptions = () =>
  queryOptions({
    queryKey: ["runs", "active"],
    queryFn: async () => {
      const state = ["starting", "running", "cancelling"] as const;
      const query = { state: [...state], limit: 20 };
      const page = unwrap(await api.GET("/api/v1/runs", { params: { query } }));
      return [...page.items].sort(byStart);
    },
    // Between two events the ETA goes on counting down.
    refetchInterval: (query) => ((query.state.data?.length ?? 0) > 0 ? 5_000 : 30_000),
  });

/** The machine: version, workers, disk, warnings and counts. */
export const systemOptions = () =>
  queryOptions({
    queryKey: ["system"],
    queryFn: async () => unwrap(await api.GET("/api/v1/system")),
    refetchInterval: 15_000,
  });

const byStart = (one: Schema<"RunSummary">, other: Schema<"RunSummary">): number =>
  (one.started_at ?? "").localeCompare(other.started_at ?? "") || one.id.localeCompare(other.id);
