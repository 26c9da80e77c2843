import type { Schema } from "@/api/client";

/** A machine with one idle worker and nothing done yet, with the fields given changed. */
export function systemSample(changes: Partial<Schema<"SystemRead">> = {}): Schema<"SystemRead"> {
  return {
    version: "0.1.0",
    database: "sqlite",
    broker: "filesystem",
    data_dir: "/data/workbench",
    disk_free_bytes: 41_300_000_000,
    workers: [
      {
        owner: "laptop:0",
        hostname: "laptop",
        pid: 4711,
        slot: 0,
        device: "cpu",
        run_id: null,
        run_name: null,
        started_at: "2026-11-23T08:00:00Z",
        heartbeat_at: "2026-11-23T08:00:05Z",
        alive: true,
      },
    ],
    warnings: [],
    counts: { datasets: 1, models: 1, experiments: 0, active_runs: 0 },
    newest_event_id: 1,
    ...changes,
  };
}

/** A run in the middle of its training, with the fields given changed. */
export function runSample(changes: Partial<Schema<"RunSummary">> = {}): Schema<"RunSummary"> {
  return {
    id: "r1",
    kind: "train",
    name: "AFT · boundary · seed 2",
    method: "AFT · boundary",
    seed: 2,
    state: "running",
    priority: 0,
    attempt: 1,
    device: "cpu",
    progress: { done: 189, total: 378, phase: "training", rate: 3, eta_seconds: 180 },
    error: null,
    created_at: "2026-11-23T08:00:00Z",
    started_at: "2026-11-23T08:01:00Z",
    finished_at: null,
    duration_seconds: 60,
    experiments: ["e1"],
    tags: [],
    on_hold: false,
    ...changes,
  };
}

/** A running experiment, with the fields given changed. */
export function experimentSample(
  changes: Partial<Schema<"ExperimentSummary">> = {},
): Schema<"ExperimentSummary"> {
  return {
    id: "e1",
    name: "Ten methods on arithmetic",
    is_demo: true,
    state: "running",
    priority: "normal",
    counts: {
      waiting: 20,
      queued: 9,
      starting: 0,
      running: 2,
      cancelling: 0,
      succeeded: 36,
      failed: 0,
      cancelled: 0,
    },
    runs_total: 67,
    eta_seconds: 250,
    fraction_done: 0.54,
    methods: ["VFT", "AFT · boundary"],
    seeds: [1, 2, 3],
    dataset_name: "arithmetic",
    base_model_name: "built-in small model",
    created_at: "2026-11-23T08:00:00Z",
    finished_at: null,
    ...changes,
  };
}
