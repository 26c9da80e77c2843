import { Button, Select, TagsInput, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { paths } from "@/app/paths";
import { PageHeader } from "@/components/PageHeader";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Words } from "@/components/Words";
import {
  type DatasetRow,
  datasetsOptions,
  experimentOptions,
  type ModelRow,
  modelsOptions,
  planOptions,
  presetsOptions,
  useStart,
  versionOptions,
} from "../queries";
import { type Draft, forgetDraft, loadDraft, newRequestId, saveDraft } from "./draft";
import { CHOICES, type ChoicePath, NUMBER_PATHS, type NumberPath } from "./fields";
import { MEASURES, MeasuresAndTrackers } from "./MeasuresAndTrackers";
import { MethodsPicker } from "./MethodsPicker";
import { MorePlaces } from "./MorePlaces";
import classes from "./NewExperimentPage.module.css";
import { NumberField } from "./NumberField";
import { PlanPanel } from "./PlanPanel";
import { PresetPanel, readPreset } from "./PresetPanel";
import { RankingNotice } from "./RankingNotice";
import { fromRankingSet, rankingSetOptions } from "./ranking";
import { SamplingEndpoint } from "./SamplingEndpoint";
import { automaticName, serverProblems, toSpec } from "./spec";
import {
  adoptRecipe,
  type FormValues,
  fromExperiment,
  fromSpec,
  type Recipe,
  startingOn,
  usualModel,
  withBoundaryBeta,
} from "./values";

const MAIN_NUMBERS: NumberPath[] = [
  "train_questions",
  "k",
  "temperature",
  "optimizer.epochs",
  "optimizer.learning_rate",
];
const MAIN_CHOICES: ChoicePath[] = ["judge", "feedback", "start_from"];
const LORA: [NumberPath[], ChoicePath[]] = [["lora.rank", "lora.alpha"], ["lora.quantize"]];
const PROCESSES: [NumberPath[], ChoicePath[]] = [
  ["parallel.processes"],
  ["parallel.strategy", "parallel.offload", "activation_checkpointing", "precision"],
];
/** Fields with a place of their own among the advanced ones. */
const PLACED: readonly string[] = [...LORA.flat(), ...PROCESSES.flat(), ...MEASURES];

/** Loads what can be chosen, then shows the form. */
export function NewExperimentPage() {
  const [query] = useSearchParams();
  const from = query.get("from");
  const rankingId = query.get("ranking");
  const versionId = query.get("dataset");
  const { name, form } = readPreset(query);
  const datasets = useQuery(datasetsOptions());
  const models = useQuery(modelsOptions());
  const source = useQuery({ ...experimentOptions(from ?? ""), enabled: from !== null });
  const ranking = useQuery(rankingSetOptions(rankingId));
  const presets = useQuery(presetsOptions());
  const failed = [datasets, models, source, ranking, ...(name === null ? [] : [presets])].find(
    (one) => one.isError,
  );
  if (failed !== undefined)
    return (
      <PanelError
        title="New experiment"
        error={failed.error}
        onRetry={() => void failed.refetch()}
      />
    );
  if (
    datasets.data === undefined ||
    models.data === undefined ||
    (from !== null && source.data === undefined) ||
    (rankingId !== null && ranking.data === undefined) ||
    (name !== null && presets.data === undefined)
  )
    return <PanelSkeleton rows={12} />;
  const beta = Number(query.get("beta") ?? Number.NaN);
  const explored = Number.isFinite(beta) ? ` β ${beta}` : "";
  const preset = presets.data?.find((one) => one.name === name);
  const key =
    preset !== undefined
      ? `${preset.name} ${form}`
      : rankingId !== null
        ? `ranking:${rankingId}`
        : `${from ?? (versionId === null ? "" : `data:${versionId}`)}${explored}`;
  const saved = loadDraft(key);
  const builtinModel = usualModel(models.data);
  const isBuiltin = datasets.data.some(
    (one) => one.builtin && one.newest?.id === ranking.data?.dataset_version_id,
  );
  const filled =
    preset !== undefined
      ? fromSpec(preset[form])
      : ranking.data !== undefined
        ? fromRankingSet(ranking.data, isBuiltin ? "builtin" : "paper", builtinModel)
        : source.data !== undefined
          ? fromExperiment(source.data.spec)
          : startingOn(datasets.data, versionId, builtinModel);
  const start: Draft = saved ?? {
    values: explored === "" ? filled : withBoundaryBeta(filled, beta),
    requestId: newRequestId(),
  };
  return (
    <Form key={key} source={key} start={start} datasets={datasets.data} models={models.data} />
  );
}

interface FormProps {
  source: string;
  start: Draft;
  datasets: DatasetRow[];
  models: ModelRow[];
}

function Form({ source, start, datasets, models }: FormProps) {
  const navigate = useNavigate();
  const [values, setValues] = useState<FormValues>(start.values);
  const [requestId] = useState(start.requestId);
  useEffect(() => saveDraft(source, { values, requestId }), [source, values, requestId]);

  const dataset = datasets.find((one) => one.newest?.id === values.versionId);
  const version = useQuery(versionOptions(values.versionId));
  const own = useMemo(
    () => toSpec(values, automaticName(values, dataset?.name)),
    [values, dataset],
  );
  const [asked] = useDebouncedValue(own.spec, 400);
  const plan = useQuery(planOptions(asked));
  const begin = useStart();
  const problems = useMemo(
    () => new Map([...serverProblems(plan.data, [plan.error, begin.error]), ...own.problems]),
    [plan.data, plan.error, begin.error, own.problems],
  );
  const recipeOf = (versionId: string | null, modelId: string | null): Recipe =>
    datasets.some((one) => one.builtin && one.newest?.id === versionId) &&
    models.some((one) => one.source === "builtin" && one.id === modelId)
      ? "builtin"
      : "paper";
  const choose = (change: Partial<Pick<FormValues, "versionId" | "modelId">>) =>
    setValues((before) => {
      const next = { ...before, ...change, ...("versionId" in change && { splitId: null }) };
      const [old, now] = [
        recipeOf(before.versionId, before.modelId),
        recipeOf(next.versionId, next.modelId),
      ];
      return adoptRecipe(next, old, now);
    });
  const submit = () => {
    if (own.spec === null) return;
    begin.mutate(
      { spec: own.spec, requestId, repeat: values.repeat },
      {
        onSuccess: (experiment) => {
          forgetDraft(source);
          navigate(paths.experiment(experiment.id));
        },
      },
    );
  };

  const change = (some: Partial<FormValues>) => setValues((before) => ({ ...before, ...some }));
  const number = (path: NumberPath) => (
    <NumberField key={path} path={path} values={values} problems={problems} onChange={change} />
  );
  const choice = (path: ChoicePath) => (
    <Select
      key={path}
      label={CHOICES[path].label}
      description={CHOICES[path].help}
      allowDeselect={false}
      data={CHOICES[path].options.map((one) => ({ ...one }))}
      value={values.choices[path]}
      error={problems.get(path)}
      onChange={(value) =>
        value !== null &&
        setValues((before) => ({ ...before, choices: { ...before.choices, [path]: value } }))
      }
    />
  );
  const canStart = own.spec !== null && own.problems.size === 0 && plan.data?.can_start !== false;
  return (
    <>
      <PageHeader
        title="New experiment"
        parent={{ label: "Experiments", to: paths.experiments }}
        actions={
          <Button onClick={submit} disabled={!canStart} loading={begin.isPending}>
            Start experiment
          </Button>
        }
      />
      <div className={classes.columns}>
        <form
          className={classes.form}
          onSubmit={(event) => {
            event.preventDefault();
            if (canStart) submit();
          }}
        >
          {values.ranking && (
            <RankingNotice
              ranking={values.ranking}
              versionId={values.versionId}
              problem={problems.get("ranking_set_id") ?? problems.get("agreement_set_id")}
              onChange={(next) => setValues((before) => ({ ...before, ranking: next }))}
            />
          )}
          <PresetPanel />
          <Panel title="What is compared">
            <div className={classes.fields}>
              <TextInput
                label="Name"
                value={values.name ?? automaticName(values, dataset?.name)}
                error={problems.get("name")}
                onChange={(event) => {
                  const name = event.currentTarget.value;
                  setValues((before) => ({ ...before, name }));
                }}
              />
              <Select
                label="Data set"
                allowDeselect={false}
                data={datasets.flatMap((one) =>
                  one.newest === null
                    ? []
                    : [{ value: one.newest.id, label: `${one.name} v${one.newest.number}` }],
                )}
                value={values.versionId}
                error={problems.get("dataset_version_id")}
                onChange={(versionId) => choose({ versionId })}
              />
              <Select
                label="Split"
                placeholder={version.data?.splits.length === 0 ? "none yet" : "the newest"}
                clearable
                data={(version.data?.splits ?? []).map((one) => ({
                  value: one.id,
                  label: one.name,
                }))}
                value={values.splitId}
                error={
                  problems.has("split_id") && (
                    <>
                      <Words>{problems.get("split_id") ?? ""}</Words>{" "}
                      {dataset !== undefined && (
                        <Link to={paths.dataset(dataset.id)}>Open {dataset.name}</Link>
                      )}
                    </>
                  )
                }
                onChange={(splitId) => setValues((before) => ({ ...before, splitId }))}
              />
              <Select
                label="Base model"
                allowDeselect={false}
                data={models.map((one) => ({ value: one.id, label: one.name }))}
                value={values.modelId}
                error={problems.get("base_model_id")}
                onChange={(modelId) => choose({ modelId })}
              />
              <TagsInput
                label="Seeds"
                description="Each seed draws its own training questions and samples, and repeats every method."
                value={values.seeds}
                error={problems.get("seeds")}
                onChange={(seeds) => setValues((before) => ({ ...before, seeds }))}
              />
            </div>
            <MorePlaces
              places={values.kept}
              taken={{ versions: [values.versionId], models: [values.modelId] }}
              datasets={datasets}
              models={models}
              problems={problems}
              onChange={(kept) =>
                setValues((before) => ({ ...before, kept: { ...before.kept, ...kept } }))
              }
            />
          </Panel>
          <Panel title="Methods" note={`${values.methods.length} chosen`}>
            <MethodsPicker
              methods={values.methods}
              problems={problems}
              onChange={(methods) => setValues((before) => ({ ...before, methods }))}
            />
          </Panel>
          <Panel title="Settings">
            <div className={classes.fields}>
              {MAIN_NUMBERS.map(number)}
              {MAIN_CHOICES.map(choice)}
            </div>
            <details className={classes.advanced}>
              <summary>Advanced</summary>
              <div className={classes.fields}>
                {NUMBER_PATHS.filter(
                  (path) => !MAIN_NUMBERS.includes(path) && !PLACED.includes(path),
                ).map(number)}
                {(Object.keys(CHOICES) as ChoicePath[])
                  .filter((path) => !MAIN_CHOICES.includes(path) && !PLACED.includes(path))
                  .map(choice)}
                <MeasuresAndTrackers values={values} problems={problems} onChange={change} />
                {values.choices.sampling_engine === "openai" && (
                  <SamplingEndpoint
                    value={values.samplingEndpoint}
                    problem={problems.get("sampling_endpoint")}
                    onChange={(samplingEndpoint) =>
                      setValues((before) => ({ ...before, samplingEndpoint }))
                    }
                  />
                )}
              </div>
            </details>
            <details className={classes.advanced}>
              <summary>LoRA, processes and memory</summary>
              <div className={classes.fields}>
                {LORA[0].map(number)}
                {LORA[1].map(choice)}
                {PROCESSES[0].map(number)}
                {PROCESSES[1].map(choice)}
              </div>
            </details>
          </Panel>
        </form>
        <div className={classes.side}>
          <PlanPanel plan={plan.data} error={plan.error} waiting={plan.isFetching} />
        </div>
      </div>
    </>
  );
}
