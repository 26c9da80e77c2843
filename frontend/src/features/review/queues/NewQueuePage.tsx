import {
  Button,
  MultiSelect,
  NumberInput,
  Select,
  Switch,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link, useLocation, useNavigate, useSearchParams } from "react-router";
import { asApiError } from "@/api/client";
import { paths } from "@/app/paths";
import { EmptyState } from "@/components/EmptyState";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import {
  experimentsOptions,
  type Mode,
  peopleOptions,
  previewOptions,
  setOptions,
  setsOptions,
  useCreateQueue,
} from "../queries";
import { MODES } from "../words";
import { QueuePlan } from "./QueuePlan";
import classes from "./Queues.module.css";
import {
  emptyForm,
  needsModel,
  type QueueForm,
  SIZES,
  STRATEGIES,
  type Strategy,
  toQueue,
} from "./queueForm";

/** COTs chosen on another page: in the history's state, or a few of them in the address. */
function selectedIds(state: unknown, listed: string | null): number[] {
  const given = (state as { candidates?: unknown } | null)?.candidates;
  const ids = Array.isArray(given) ? given : (listed ?? "").split(",");
  return ids.map(Number).filter((id) => id > 0);
}

const newRequestId = (): string => crypto.randomUUID().replaceAll("-", "");

/** A queue from a candidate set; at the right what it would hold. */
export function NewQueuePage() {
  const [query] = useSearchParams();
  const { state } = useLocation();
  const selection = useMemo(() => selectedIds(state, query.get("candidates")), [state, query]);
  const [form, setForm] = useState<QueueForm>({
    ...emptyForm,
    runId: query.get("set") ?? "",
    modelRunId: query.get("model") ?? "",
    strategy: selection.length > 0 ? "selection" : "random",
  });
  const [requestId] = useState(newRequestId);
  const experiments = useQuery(experimentsOptions());
  const [chosen, setChosen] = useState<string | null>(query.get("experiment"));
  const experimentId = chosen ?? experiments.data?.[0]?.id ?? "";
  const sets = useQuery(setsOptions(experimentId));
  const filled = (sets.data ?? []).filter((set) => (set.counts.all ?? 0) > 0);
  // A set that was chosen elsewhere may belong to no experiment, as an imported one does.
  const asked = useQuery(setOptions(form.runId));
  const set =
    filled.find((one) => one.run_id === form.runId) ??
    (asked.data?.run_id === form.runId ? asked.data : filled[0]);
  const offered = set === undefined || filled.includes(set) ? filled : [set, ...filled];
  const model = set?.models.find((one) => one.model_run_id === form.modelRunId) ?? set?.models[0];
  const people = useQuery(peopleOptions());
  const body = toQueue(
    { ...form, runId: set?.run_id ?? form.runId, modelRunId: model?.model_run_id ?? "" },
    selection,
  );
  const [settled] = useDebouncedValue(body && JSON.stringify(body), 300);
  const preview = useQuery(
    previewOptions(useMemo(() => (settled ? JSON.parse(settled) : null), [settled])),
  );
  const create = useCreateQueue();
  const navigate = useNavigate();
  const update = (values: Partial<QueueForm>) => setForm((before) => ({ ...before, ...values }));
  const problem = asApiError(create.error ?? preview.error);

  if (experiments.isPending || (experimentId !== "" && sets.isPending && set === undefined))
    return <PanelSkeleton rows={10} />;
  if (experiments.isError)
    return (
      <PanelError
        title="New queue"
        error={experiments.error}
        onRetry={() => void experiments.refetch()}
      />
    );
  const header = (
    <PageHeader title="New review queue" parent={{ label: "Review", to: paths.review }} />
  );
  if (experiments.data.length === 0 && set === undefined)
    return (
      <>
        {header}
        <EmptyState
          title="No COTs to review yet"
          action={
            <Button component={Link} to={paths.newExperiment}>
              New experiment
            </Button>
          }
        >
          A queue asks about COTs that an experiment sampled.
        </EmptyState>
      </>
    );
  return (
    <>
      {header}
      <form
        className={classes.columns}
        onSubmit={(event) => {
          event.preventDefault();
          if (body === null) return;
          create.mutate(
            { ...body, request_id: requestId },
            { onSuccess: (queue) => navigate(paths.reviewQueue(queue.id)) },
          );
        }}
      >
        <div className={classes.form}>
          <fieldset className={classes.group}>
            <legend>What is asked</legend>
            <Modes mode={form.mode} onChange={(mode) => update({ mode, perItem: SIZES[mode] })} />
          </fieldset>
          <fieldset className={classes.group}>
            <legend>Which COTs</legend>
            <div className={classes.pair}>
              <Select
                label="Experiment"
                allowDeselect={false}
                searchable
                value={experimentId}
                data={experiments.data.map((one) => ({ value: one.id, label: one.name }))}
                onChange={setChosen}
              />
              <Select
                label="Sampled by"
                allowDeselect={false}
                value={set?.run_id ?? null}
                data={offered.map((one) => ({ value: one.run_id, label: one.name }))}
                error={
                  filled.length === 0
                    ? "This experiment has no COTs yet."
                    : problem?.fieldMessage("source.run_id")
                }
                onChange={(runId) => update({ runId: runId ?? "" })}
              />
            </div>
            <div className={classes.pair}>
              <Select
                label="Strategy"
                allowDeselect={false}
                value={form.strategy}
                data={Object.entries(STRATEGIES)
                  .filter(([value]) => value !== "selection" || selection.length > 0)
                  .map(([value, { label }]) => ({ value, label }))}
                description={STRATEGIES[form.strategy].about}
                inputWrapperOrder={["label", "input", "description", "error"]}
                error={problem?.fieldMessage("source.strategy")}
                onChange={(strategy) => update({ strategy: strategy as Strategy })}
              />
              {needsModel(form.strategy) && (
                <Select
                  label="By the scores of"
                  allowDeselect={false}
                  value={model?.model_run_id ?? null}
                  data={(set?.models ?? []).map((one) => ({
                    value: one.model_run_id,
                    label: one.model,
                  }))}
                  error={
                    model === undefined
                      ? "No model has scored this set."
                      : problem?.fieldMessage("source.model_run_id")
                  }
                  onChange={(modelRunId) => update({ modelRunId: modelRunId ?? "" })}
                />
              )}
              <NumberInput
                label="Items at most"
                min={1}
                max={10_000}
                value={form.n}
                onChange={(n) => update({ n })}
              />
              {form.mode !== "pair" && (
                <NumberInput
                  label="COTs of an item"
                  min={form.mode === "rank" ? 2 : 1}
                  max={16}
                  value={form.perItem}
                  onChange={(perItem) => update({ perItem })}
                />
              )}
            </div>
          </fieldset>
          <fieldset className={classes.group}>
            <legend>Who, and how often</legend>
            <div className={classes.pair}>
              <NumberInput
                label="Reviews of each item"
                min={1}
                max={50}
                value={form.reviews}
                onChange={(reviews) => update({ reviews })}
              />
              <MultiSelect
                label="Reviewers"
                placeholder={form.reviewerIds.length === 0 ? "Everybody" : ""}
                searchable
                clearable
                data={(people.data ?? []).map((one) => ({ value: one.id, label: one.name }))}
                value={form.reviewerIds}
                onChange={(reviewerIds) => update({ reviewerIds })}
              />
              <NumberInput
                label="Gold items among them"
                description="Of known judgement, met by every reviewer."
                inputWrapperOrder={["label", "input", "description", "error"]}
                min={0}
                max={1000}
                value={form.goldItems}
                error={problem?.fieldMessage("gold_items")}
                onChange={(goldItems) => update({ goldItems })}
              />
              {Number(form.goldItems) > 0 && (
                <TextInput
                  label="Known from"
                  placeholder="the gold answer"
                  description="Or the name of a rater, such as oracle."
                  inputWrapperOrder={["label", "input", "description", "error"]}
                  value={form.goldRater}
                  onChange={(event) => update({ goldRater: event.currentTarget.value })}
                />
              )}
            </div>
            <Switch
              label="Blind: reviewers get no model, score, label, gold answer or rating of others"
              checked={form.isBlind}
              onChange={(event) => update({ isBlind: event.currentTarget.checked })}
            />
            <Switch
              label="Show the reference COT, which tells the gold answer"
              checked={form.showsReference || !form.isBlind}
              disabled={!form.isBlind}
              onChange={(event) => update({ showsReference: event.currentTarget.checked })}
            />
          </fieldset>
          <fieldset className={classes.group}>
            <legend>What reviewers read</legend>
            <TextInput
              label="Name"
              placeholder={body?.name}
              maxLength={120}
              value={form.name}
              onChange={(event) => update({ name: event.currentTarget.value })}
            />
            <Textarea
              label="Guidelines"
              description="Markdown, shown as it is written."
              autosize
              minRows={3}
              maxRows={16}
              maxLength={20_000}
              value={form.guidelines}
              onChange={(event) => update({ guidelines: event.currentTarget.value })}
            />
          </fieldset>
        </div>
        <QueuePlan
          preview={preview.data ?? null}
          reviews={Number(form.reviews)}
          problem={problem}
          waiting={preview.isFetching}
          ready={body !== null && set !== undefined}
          creating={create.isPending}
        />
      </form>
    </>
  );
}

function Modes({ mode, onChange }: { mode: Mode; onChange: (mode: Mode) => void }) {
  const order: Mode[] = ["verify", "rate", "rank", "pair"];
  return (
    <div className={classes.modes} role="radiogroup" aria-label="Mode">
      {order.map((one, index) => (
        // biome-ignore lint/a11y/useSemanticElements: a radio cannot hold two lines that are both its name
        <button
          key={one}
          type="button"
          role="radio"
          aria-checked={one === mode}
          tabIndex={one === mode ? 0 : -1}
          className={classes.mode}
          onClick={() => onChange(one)}
          onKeyDown={(event) => {
            const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
            if (by === undefined) return;
            event.preventDefault();
            const next = order[(index + by + order.length) % order.length] ?? one;
            onChange(next);
            const buttons = event.currentTarget.parentElement?.querySelectorAll("button");
            buttons?.[order.indexOf(next)]?.focus();
          }}
        >
          <strong>{MODES[one].label}</strong>
          <small>{MODES[one].task}</small>
        </button>
      ))}
    </div>
  );
}
