import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { paths } from "@/app/paths";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { ColumnMenu } from "./ColumnMenu";
import { GroupHead } from "./GroupHead";
import { groupedLines, type Line, runLines } from "./grouping";
import {
  groupedRunsOptions,
  groupsOptions,
  type RunKind,
  type RunsFilter,
  runsOptions,
} from "./queries";
import { RunActions } from "./RunActions";
import { RunFilters } from "./RunFilters";
import { RUN_COLUMNS } from "./runColumns";
import { isStateGroup, MOVING, STATE_GROUPS } from "./runStates";

/** All runs, filtered and ordered by what the URL says. */
export function RunsPage() {
  const [query, setQuery] = useSearchParams();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const state = query.get("state");
  const filter: RunsFilter = {
    states: isStateGroup(state) ? [...STATE_GROUPS[state]] : [],
    kind: (query.get("kind") as RunKind | null) ?? undefined,
    experimentId: query.get("experiment") ?? undefined,
    text: query.get("q") ?? undefined,
    tag: query.get("tag") ?? undefined,
  };
  const grouped = query.get("order") !== "newest";
  const closed = query.getAll("closed");
  const newest = useInfiniteQuery({ ...runsOptions(filter), enabled: !grouped });
  const byGroup = useInfiniteQuery({ ...groupedRunsOptions(filter, closed), enabled: grouped });
  const groups = useQuery({ ...groupsOptions(filter), enabled: grouped });
  const runs = grouped ? byGroup : newest;
  const rows = useMemo(
    () => (grouped ? byGroup.data : newest.data)?.pages.flatMap((page) => page.items) ?? [],
    [grouped, byGroup.data, newest.data],
  );
  const shut = closed.join("\n");
  const lines = useMemo(
    () =>
      grouped
        ? groupedLines(
            groups.data ?? [],
            byGroup.data?.pages.flatMap((page) => page.items) ?? [],
            new Set(shut.split("\n")),
            byGroup.hasNextPage,
          )
        : runLines(rows),
    [grouped, groups.data, byGroup.data, byGroup.hasNextPage, shut, rows],
  );

  const change = (edit: (next: URLSearchParams) => void) =>
    setQuery(
      (before) => {
        const next = new URLSearchParams(before);
        edit(next);
        return next;
      },
      { replace: true },
    );
  const set = (name: string, value: string | null) =>
    change((next) => {
      if (value === null || value === "") next.delete(name);
      else next.set(name, value);
    });
  const setFilter = (name: string, value: string | null) => {
    setSelected(new Set());
    set(name, value);
  };
  const toggle = (key: string) =>
    change((next) => {
      next.delete("closed");
      const others = closed.filter((one) => one !== key);
      for (const one of others.length < closed.length ? others : [...closed, key])
        next.append("closed", one);
    });

  const unseen = (query.get("hide") ?? "").split(",").filter((id) => id !== "");
  // A column that says nothing about any row leaves its room to the others.
  const unused = [
    ...unseen,
    ...(grouped ? ["method"] : []),
    ...(rows.some((row) => row.tags.length > 0) ? [] : ["tags"]),
    ...(rows.some((row) => MOVING.has(row.state)) ? [] : ["progress"]),
  ];
  const failed = runs.isError ? runs : grouped && groups.isError ? groups : undefined;
  return (
    <>
      <PageHeader
        title="Runs"
        facts={filter.experimentId !== undefined && "Runs of one experiment"}
        actions={
          <>
            <RunActions chosen={rows.filter((row) => selected.has(row.id))} />
            <ColumnMenu hidden={unseen} onChange={(ids) => set("hide", ids.join(","))} />
          </>
        }
      />
      <RunFilters
        filter={filter}
        state={isStateGroup(state) ? state : null}
        grouped={grouped}
        onSet={setFilter}
      />
      {failed !== undefined ? (
        <PanelError title="Runs" error={failed.error} onRetry={() => void failed.refetch()} />
      ) : runs.isPending || (grouped && groups.isPending) ? (
        <PanelSkeleton rows={12} />
      ) : (
        <DataTable<Line>
          label="Runs"
          columns={RUN_COLUMNS}
          hidden={unused}
          rows={lines}
          rowId={(line) => line.id}
          rowHref={(line) => (line.run === undefined ? undefined : paths.run(line.run.id))}
          onOpen={(line) => line.group !== undefined && toggle(line.group.key)}
          band={(line) =>
            line.group !== undefined && (
              <GroupHead
                group={line.group}
                open={line.open}
                onToggle={() => toggle(line.group.key)}
              />
            )
          }
          selected={selected}
          onSelect={setSelected}
          maxHeight="calc(100vh - 210px)"
          onEndReached={() => {
            if (runs.hasNextPage && !runs.isFetchingNextPage) void runs.fetchNextPage();
          }}
          fetchingMore={runs.isFetchingNextPage}
          empty={<NoRuns filter={filter} onClear={() => setQuery({}, { replace: true })} />}
        />
      )}
    </>
  );
}

function NoRuns({ filter, onClear }: { filter: RunsFilter; onClear: () => void }) {
  const { states, ...words } = filter;
  const isFiltered = states.length > 0 || Object.values(words).some((word) => word !== undefined);
  return isFiltered ? (
    <EmptyState
      title="No run matches"
      action={
        <Button variant="default" onClick={onClear}>
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
      A run is one piece of work: training a model, sampling COTs, evaluating. An experiment plans
      them.
    </EmptyState>
  );
}
