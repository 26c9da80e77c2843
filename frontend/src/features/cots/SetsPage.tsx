import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo } from "react";
import { Link, useSearchParams } from "react-router";
import { paths } from "@/app/paths";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { FilterChips } from "@/components/FilterChips";
import { ago, count, fullTime, percent } from "@/components/format";
import { Icon } from "@/components/Icon";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import classes from "./CotsPage.module.css";
import { allSetsOptions, type CandidateSet } from "./queries";
import { withValues } from "./selection";

const KINDS: { value: CandidateSet["kind"]; label: string }[] = [
  { value: "sample", label: "sampled" },
  { value: "evaluate", label: "greedy answers" },
  { value: "import-cots", label: "imported" },
];

const COLUMNS: ColumnDef<CandidateSet, unknown>[] = [
  {
    id: "name",
    header: "Candidate set",
    size: 220,
    meta: { grow: true },
    cell: ({ row }) => <Link to={paths.cotSet(row.original.run_id)}>{row.original.name}</Link>,
  },
  {
    id: "purpose",
    header: "Purpose",
    size: 120,
    meta: { drop: 2 },
    cell: ({ row }) => row.original.purpose,
  },
  {
    id: "questions",
    header: "Questions",
    size: 100,
    meta: { numeric: true, drop: 3 },
    cell: ({ row }) => count(row.original.counts.questions),
  },
  {
    id: "cots",
    header: "COTs",
    size: 90,
    meta: { numeric: true, drop: 1 },
    cell: ({ row }) => count(row.original.counts.all),
  },
  {
    id: "right",
    header: "Right",
    size: 80,
    meta: { numeric: true },
    cell: ({ row }) =>
      percent((row.original.counts.right ?? 0) / Math.max(1, row.original.counts.all ?? 0)),
  },
  {
    id: "rated",
    header: "Rated",
    size: 80,
    meta: { numeric: true, drop: 4 },
    cell: ({ row }) => count(row.original.counts.rated),
  },
  {
    id: "made",
    header: "Made",
    size: 120,
    meta: { drop: 5 },
    cell: ({ row }) => (
      <time title={fullTime(row.original.created_at)}>{ago(row.original.created_at)}</time>
    ),
  },
];

/** All candidate sets: sampled by any experiment, or imported from files. */
export function SetsPage() {
  const [query, setQuery] = useSearchParams();
  const kind = KINDS.find((one) => one.value === query.get("kind"))?.value ?? null;
  const sets = useInfiniteQuery(allSetsOptions(kind));
  const rows = useMemo(() => sets.data?.pages.flatMap((page) => page.items) ?? [], [sets.data]);
  return (
    <>
      <PageHeader
        title="COTs"
        actions={
          <Button
            component={Link}
            to={paths.importCots}
            leftSection={<Icon name="upload" size={16} />}
          >
            Import COTs
          </Button>
        }
      />
      <div className={classes.page}>
        <FilterChips
          label="Kind"
          choices={KINDS}
          value={kind}
          onChange={(value) => setQuery((before) => withValues(before, { kind: value }))}
        />
        {sets.isPending ? (
          <PanelSkeleton rows={10} />
        ) : sets.isError ? (
          <PanelError title="COTs" error={sets.error} onRetry={() => void sets.refetch()} />
        ) : (
          <DataTable
            label="Candidate sets"
            columns={COLUMNS}
            rows={rows}
            rowId={(row) => row.run_id}
            rowHref={(row) => paths.cotSet(row.run_id)}
            sortedByServer
            maxHeight="calc(100vh - 200px)"
            onEndReached={() => {
              if (sets.hasNextPage && !sets.isFetchingNextPage) void sets.fetchNextPage();
            }}
            fetchingMore={sets.isFetchingNextPage}
            empty={
              <EmptyState
                icon="cots"
                title={kind === "import-cots" ? "No imported COTs yet" : "No COTs yet"}
                action={
                  <Button component={Link} to={paths.newExperiment} variant="default">
                    New experiment
                  </Button>
                }
              >
                A COT is a chain of thought that a model wrote for a question. An experiment samples
                them, or they come from a file; they are looked at, filtered and selected here.
              </EmptyState>
            }
          />
        )}
      </div>
    </>
  );
}
