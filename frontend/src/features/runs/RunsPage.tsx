import { Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo, useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { paths } from "@/app/paths";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { FilterChips } from "@/components/FilterChips";
import { duration } from "@/components/format";
import { MethodName } from "@/components/MethodMark";
import { NumberCell, Time } from "@/components/Numbers";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Progress } from "@/components/Progress";
import { RunState } from "@/components/RunState";
import { ColumnMenu } from "./ColumnMenu";
import {
  type RunKind,
  type RunRow,
  type RunStateValue,
  runsOptions,
  tagsOptions,
  useRunAction,
} from "./queries";
import classes from "./RunsPage.module.css";
import { TagMenu } from "./TagMenu";

const KINDS: { value: RunKind; label: string }[] = [
  { value: "pretrain", label: "Make model" },
  { value: "train", label: "Train" },
  { value: "sample", label: "Sample" },
  { value: "rate", label: "Rate" },
  { value: "score", label: "Score" },
  { value: "evaluate", label: "Evaluate" },
  { value: "search", label: "Choose β" },
  { value: "import", label: "Import" },
  { value: "import-cots", label: "Import COTs" },
  { value: "export", label: "Export" },
];

const GROUPS = {
  active: ["starting", "running", "cancelling"],
  waiting: ["waiting", "queued"],
  succeeded: ["succeeded"],
  failed: ["failed"],
  cancelled: ["cancelled"],
} as const satisfies Record<string, readonly RunStateValue[]>;
type Group = keyof typeof GROUPS;
const GROUP_CHOICES: { value: Group; label: string }[] = [
  { value: "active", label: "Running" },
  { value: "waiting", label: "Waiting" },
  { value: "succeeded", label: "Done" },
  { value: "failed", label: "Failed" },
  { value: "cancelled", label: "Cancelled" },
];

/** More runs than these are no longer told apart in a chart. */
const MOST_COMPARED = 100;

/** States in which there is progress to show; what waits for a worker has none. */
const MOVING: ReadonlySet<RunStateValue> = new Set(GROUPS.active);
const kindLabel = (kind: RunKind): string => KINDS.find((one) => one.value === kind)?.label ?? kind;
const isGroup = (value: string | null): value is Group => value !== null && value in GROUPS;

const COLUMNS: ColumnDef<RunRow, unknown>[] = [
  {
    id: "state",
    header: "State",
    size: 106,
    cell: ({ row }) => <RunState state={row.original.on_hold ? "paused" : row.original.state} />,
  },
  {
    id: "name",
    header: "Run",
    size: 210,
    meta: { grow: true },
    cell: ({ row }) => <Link to={paths.run(row.original.id)}>{row.original.name}</Link>,
  },
  {
    id: "tags",
    header: "Tags",
    size: 110,
    meta: { drop: 6 },
    cell: ({ row }) => (
      <span title={row.original.tags.join(", ")}>{row.original.tags.join(", ")}</span>
    ),
  },
  {
    id: "kind",
    header: "Kind",
    size: 100,
    meta: { drop: 4 },
    cell: ({ row }) => kindLabel(row.original.kind),
  },
  {
    id: "method",
    header: "Method",
    size: 160,
    meta: { drop: 1 },
    cell: ({ row }) =>
      row.original.method === null ? "" : <MethodName label={row.original.method} />,
  },
  {
    id: "seed",
    header: "Seed",
    size: 64,
    meta: { numeric: true, drop: 3 },
    cell: ({ row }) => row.original.seed ?? "",
  },
  {
    id: "progress",
    header: "Progress",
    size: 130,
    meta: { drop: 2 },
    cell: ({ row }) =>
      MOVING.has(row.original.state) && (
        <Progress
          bare
          label={`Progress of ${row.original.name}`}
          done={row.original.progress.done}
          total={row.original.progress.total}
        />
      ),
  },
  {
    id: "duration",
    header: "Time",
    size: 92,
    meta: { numeric: true, drop: 5 },
    cell: ({ row }) => <NumberCell>{duration(row.original.duration_seconds)}</NumberCell>,
  },
  {
    id: "created",
    header: "Created",
    size: 112,
    meta: { drop: 7 },
    cell: ({ row }) => <Time at={row.original.created_at} />,
  },
];

/** All runs, filtered by what the URL says. */
export function RunsPage() {
  const [query, setQuery] = useSearchParams();
  const navigate = useNavigate();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const group = query.get("state");
  const kind = query.get("kind") as RunKind | null;
  const filter = {
    states: isGroup(group) ? [...GROUPS[group]] : [],
    kind: kind ?? undefined,
    experimentId: query.get("experiment") ?? undefined,
    text: query.get("q") ?? undefined,
    tag: query.get("tag") ?? undefined,
  };
  const runs = useInfiniteQuery(runsOptions(filter));
  const rows = useMemo(() => runs.data?.pages.flatMap((page) => page.items) ?? [], [runs.data]);
  const cancel = useRunAction("cancel");
  const retry = useRunAction("retry");
  const clone = useRunAction("clone");
  const tags = useQuery(tagsOptions());

  const set = (name: string, value: string | null, deselect = true) => {
    if (deselect) setSelected(new Set());
    setQuery(
      (before) => {
        const next = new URLSearchParams(before);
        if (value === null || value === "") next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  };
  const search = useDebouncedCallback((text: string) => set("q", text.trim()), 250);
  const chosen = rows.filter((row) => selected.has(row.id));
  const stoppable = chosen.filter(
    (row) => !["succeeded", "failed", "cancelled"].includes(row.state),
  );
  const retryable = chosen.filter((row) => ["failed", "cancelled"].includes(row.state));
  // Rows come newest first; experiments order their runs the other way round.
  const comparable = chosen
    .filter((row) => row.kind === "train" || row.kind === "evaluate")
    .map((row) => row.id)
    .reverse();
  const unseen = (query.get("hide") ?? "").split(",").filter((id) => id !== "");
  // A column that says nothing about any row leaves its room to the others.
  const unused = [
    ...unseen,
    ...(rows.some((row) => row.tags.length > 0) ? [] : ["tags"]),
    ...(rows.some((row) => MOVING.has(row.state)) ? [] : ["progress"]),
  ];
  const isFiltered =
    filter.states.length > 0 ||
    kind !== null ||
    filter.text !== undefined ||
    filter.experimentId !== undefined ||
    filter.tag !== undefined;

  return (
    <>
      <PageHeader
        title="Runs"
        facts={filter.experimentId !== undefined && "Runs of one experiment"}
        actions={
          <>
            <Button
              variant="default"
              disabled={stoppable.length === 0}
              loading={cancel.isPending}
              onClick={() => cancel.mutate(stoppable.map((row) => row.id))}
            >
              {stoppable.length > 0 ? `Cancel ${stoppable.length}` : "Cancel"}
            </Button>
            <Button
              variant="default"
              disabled={retryable.length === 0}
              loading={retry.isPending}
              onClick={() => retry.mutate(retryable.map((row) => row.id))}
            >
              {retryable.length > 0 ? `Retry ${retryable.length}` : "Retry"}
            </Button>
            <Button
              variant="default"
              disabled={chosen.length === 0}
              loading={clone.isPending}
              onClick={() => clone.mutate(chosen.map((row) => row.id))}
            >
              {chosen.length > 0 ? `Clone ${chosen.length}` : "Clone"}
            </Button>
            <TagMenu chosen={chosen} />
            <Button
              variant="default"
              disabled={comparable.length === 0 || comparable.length > MOST_COMPARED}
              onClick={() => navigate(paths.comparisonOfRuns(comparable))}
            >
              {comparable.length > 0 ? `Compare ${comparable.length}` : "Compare"}
            </Button>
            <ColumnMenu hidden={unseen} onChange={(ids) => set("hide", ids.join(","), false)} />
          </>
        }
      />
      <div className={classes.filters}>
        <FilterChips
          label="State"
          choices={GROUP_CHOICES}
          value={isGroup(group) ? group : null}
          onChange={(value) => set("state", value)}
        />
        <Select
          aria-label="Kind of run"
          placeholder="Every kind"
          data={KINDS}
          value={kind}
          onChange={(value) => set("kind", value)}
          clearable
          w={150}
        />
        {(tags.data ?? []).length > 0 && (
          <Select
            aria-label="Tag"
            placeholder="Any tag"
            data={(tags.data ?? []).map((one) => one.tag)}
            value={filter.tag ?? null}
            onChange={(value) => set("tag", value)}
            clearable
            searchable
            w={150}
          />
        )}
        <TextInput
          aria-label="Search runs by name or id"
          placeholder="Name or id"
          defaultValue={filter.text ?? ""}
          onChange={(event) => search(event.currentTarget.value)}
          w={200}
        />
      </div>
      {runs.isPending ? (
        <PanelSkeleton rows={12} />
      ) : runs.isError ? (
        <PanelError title="Runs" error={runs.error} onRetry={() => void runs.refetch()} />
      ) : (
        <DataTable
          label="Runs"
          columns={COLUMNS}
          hidden={unused}
          rows={rows}
          rowId={(row) => row.id}
          rowHref={(row) => paths.run(row.id)}
          selected={selected}
          onSelect={setSelected}
          maxHeight="calc(100vh - 210px)"
          onEndReached={() => {
            if (runs.hasNextPage && !runs.isFetchingNextPage) void runs.fetchNextPage();
          }}
          fetchingMore={runs.isFetchingNextPage}
          empty={
            isFiltered ? (
              <EmptyState
                title="No run matches"
                action={
                  <Button variant="default" onClick={() => setQuery({}, { replace: true })}>
                    Clear the filters
                  </Button>
                }
              >
                No run has this state, kind and name.
              </EmptyState>
            ) : (
              <EmptyState
                title="No runs yet"
                action={
                  <Button component={Link} to={paths.newExperiment}>
                    New experiment
                  </Button>
                }
              >
                A run is one piece of work: training a model, sampling COTs, evaluating. An
                experiment plans them.
              </EmptyState>
            )
          }
        />
      )}
    </>
  );
}
