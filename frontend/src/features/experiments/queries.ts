import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { api, type Schema, unwrap } from "@/api/client";
import { ApiError } from "@/api/errors";
import { notifyDone, notifyError } from "@/components/notify";

export type Experiment = Schema<"ExperimentRead">;
export type ExperimentRow = Schema<"ExperimentSummary">;
export type Cell = Schema<"ExperimentCell">;
export type Plan = Schema<"ExperimentPlan">;
export type PlanWarning = Schema<"PlanWarning">;
export type Spec = Schema<"ExperimentSpec">;
export type Preset = Schema<"PresetRead">;
export type Method = Schema<"MethodConfig">;
export type StateCounts = Schema<"StateCounts">;
export type DatasetRow = Schema<"DatasetSummary">;
export type ModelRow = Schema<"ModelSummary">;
export type FigureName = "task" | "assessment" | "perplexity" | "curves";

const PLAN_TIMEOUT_MS = 20_000;

export const experimentsOptions = () =>
  infiniteQueryOptions({
    queryKey: ["experiments", "list", "all"],
    queryFn: async ({ pageParam }) => {
      const query = { limit: 100, ...(pageParam !== null && { after: pageParam }) };
      return unwrap(await api.GET("/api/v1/experiments", { params: { query } }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_after,
  });

export const experimentOptions = (experimentId: string) =>
  queryOptions({
    queryKey: ["experiments", experimentId],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/experiments/{experiment_id}", {
          params: { path: { experiment_id: experimentId } },
        }),
      ),
  });

export const figureOptions = (experimentId: string, name: FigureName, block: string) =>
  queryOptions({
    queryKey: [
      "experiments",
      experimentId,
      name === "curves" ? "figures:curves" : "figures",
      name,
      block,
    ],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/experiments/{experiment_id}/figures/{name}", {
          params: { path: { experiment_id: experimentId, name }, query: { block } },
        }),
      ),
  });

/** The plan of a specification; null asks for nothing and leaves the last plan in place. */
export const planOptions = (spec: Spec | null) =>
  queryOptions({
    queryKey: ["experiments", "plan", spec],
    enabled: spec !== null,
    queryFn: async ({ signal }) => {
      if (spec === null) throw new Error("There is nothing to plan.");
      const tooLong = AbortSignal.timeout(PLAN_TIMEOUT_MS);
      try {
        return unwrap(
          await api.POST("/api/v1/experiments/plan", {
            body: spec,
            signal: AbortSignal.any([signal, tooLong]),
          }),
        );
      } catch (error) {
        throw tooLong.aborted ? planTimedOut() : error;
      }
    },
    placeholderData: keepPreviousData,
    retry: false,
  });

const planTimedOut = () =>
  new ApiError({
    title: "The plan did not come",
    detail: `The server did not answer within ${PLAN_TIMEOUT_MS / 1000} s.`,
    status: 0,
    errors: [],
    remedy: "The machine may be busy with runs. Try again; the experiment can be started as it is.",
  });

export const datasetsOptions = () =>
  queryOptions({
    queryKey: ["datasets", "list", "to choose"],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/datasets", { params: { query: { limit: 200 } } })).items,
  });

/** The paper's tables and figures, as experiments to start from. */
export const presetsOptions = () =>
  queryOptions({
    queryKey: ["presets"],
    queryFn: async () => unwrap(await api.GET("/api/v1/presets")).items,
  });

/** A data set with all its versions, for those who want an older one. */
export const datasetOptions = (datasetId: string) =>
  queryOptions({
    queryKey: ["datasets", "list", "versions of", datasetId],
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/datasets/{dataset_id}", {
          params: { path: { dataset_id: datasetId } },
        }),
      ),
  });

/** A version with its splits. */
export const versionOptions = (versionId: string | null) =>
  queryOptions({
    queryKey: ["datasets", "list", "version", versionId],
    enabled: versionId !== null,
    queryFn: async () =>
      unwrap(
        await api.GET("/api/v1/dataset-versions/{version_id}", {
          params: { path: { version_id: versionId ?? "" } },
        }),
      ),
  });

export const modelsOptions = () =>
  queryOptions({
    queryKey: ["models", "list", "to choose"],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/models", { params: { query: { limit: 200 } } })).items,
  });

/** The endpoints of the settings, which judge or sample. */
export const endpointsOptions = () =>
  queryOptions({
    queryKey: ["judges", "to choose"],
    queryFn: async () => unwrap(await api.GET("/api/v1/judges")).items,
  });

interface Start {
  spec: Spec;
  requestId: string;
  repeat: boolean;
}

/** Starts an experiment; the same request id starts it once. */
export function useStart() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ spec, requestId, repeat }: Start) =>
      unwrap(
        await api.POST("/api/v1/experiments", { body: { spec, request_id: requestId, repeat } }),
      ),
    onSuccess: (experiment) => {
      client.setQueryData(experimentOptions(experiment.id).queryKey, experiment);
      for (const noun of ["experiments", "runs", "system"])
        void client.invalidateQueries({ queryKey: [noun] });
    },
  });
}

export type Action = "cancel" | "retry" | "pause" | "resume" | "restore";
const DONE: Record<Action, string> = {
  cancel: "Cancelling the experiment.",
  retry: "Its failed and cancelled runs are queued again.",
  pause: "Paused: runs under way finish, no new one starts.",
  resume: "Its runs start again.",
  restore: "The experiment is back.",
};

/** Changes what becomes of an experiment's runs. */
export function useExperimentAction(experimentId: string, action: Action) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () =>
      unwrap(
        await api.POST(`/api/v1/experiments/{experiment_id}/${action}`, {
          params: { path: { experiment_id: experimentId } },
        }),
      ),
    onSuccess: (experiment) => {
      client.setQueryData(experimentOptions(experimentId).queryKey, experiment);
      notifyDone(DONE[action]);
      void client.invalidateQueries({ queryKey: ["runs"] });
      void client.invalidateQueries({ queryKey: ["experiments"] });
    },
    onError: notifyError,
  });
}

export type Priority = Experiment["priority"];

export function usePrioritise(experimentId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (priority: Priority) =>
      unwrap(
        await api.PUT("/api/v1/experiments/{experiment_id}/priority", {
          params: { path: { experiment_id: experimentId } },
          body: { priority },
        }),
      ),
    onSuccess: (experiment) => {
      client.setQueryData(experimentOptions(experimentId).queryKey, experiment);
      notifyDone(`Its runs go with ${experiment.priority} priority now.`);
      void client.invalidateQueries({ queryKey: ["experiments"] });
    },
    onError: notifyError,
  });
}

export type Extension = Schema<"ExperimentExtension">;

/** The runs that an extension would add; null asks for nothing. */
export const extensionPlanOptions = (experimentId: string, extension: Extension | null) =>
  queryOptions({
    queryKey: ["experiments", "plan", experimentId, extension],
    enabled: extension !== null,
    queryFn: async () => {
      if (extension === null) throw new Error("There is nothing to plan.");
      return unwrap(
        await api.POST("/api/v1/experiments/{experiment_id}/extend/plan", {
          params: { path: { experiment_id: experimentId } },
          body: extension,
        }),
      );
    },
    placeholderData: keepPreviousData,
    retry: false,
  });

export function useExtend(experimentId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (extension: Extension) =>
      unwrap(
        await api.POST("/api/v1/experiments/{experiment_id}/extend", {
          params: { path: { experiment_id: experimentId } },
          body: extension,
        }),
      ),
    onSuccess: (experiment) => {
      client.setQueryData(experimentOptions(experimentId).queryKey, experiment);
      notifyDone("The new runs are queued; everything finished is kept.");
      for (const noun of ["experiments", "runs", "system"])
        void client.invalidateQueries({ queryKey: [noun] });
    },
  });
}

export function useDeleteExperiment(experimentId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () =>
      unwrap(
        await api.DELETE("/api/v1/experiments/{experiment_id}", {
          params: { path: { experiment_id: experimentId } },
        }),
      ),
    onSuccess: () => {
      client.removeQueries({ queryKey: ["experiments", experimentId] });
      for (const noun of ["experiments", "runs", "datasets", "models", "system"])
        void client.invalidateQueries({ queryKey: [noun] });
    },
  });
}
