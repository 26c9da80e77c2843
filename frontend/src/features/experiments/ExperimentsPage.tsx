import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo } from "react";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { eta } from "@/components/format";
import { MethodMark } from "@/components/MethodMark";
import { lookOfLabel } from "@/components/methods";
import { NumberCell, Time } from "@/components/Numbers";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { RunState } from "@/components/RunState";
import { Counts } from "./Counts";
import classes from "./ExperimentsPage.module.css";
import { type ExperimentRow, experimentsOptions } from "./queries";
import { STATE_ICONS } from "./states";

const COLUMNS: ColumnDef<ExperimentRow, unknown>[] = [
  {
    id: "name",
    header: "Experiment",
    size: 220,
    meta: { grow: true },
    accessorFn: (row) => row.name,
    cell: ({ row }) => <Link to={paths.experiment(row.original.id)}>{row.original.name}</Link>,
  },
  {
    id: "state",
    header: "State",
    size: 100,
    accessorFn: (row) => row.state,
    cell: ({ row }) => <RunState state={STATE_ICONS[row.original.state]} />,
  },
  {
    id: "runs",
    header: "Runs",
    size: 176,
    meta: { drop: 1 },
    enableSorting: false,
    cell: ({ row }) => <Counts row={row.original} />,
  },
  {
    id: "methods",
    header: "Methods",
    size: 150,
    meta: { drop: 2 },
    accessorFn: (row) => row.methods.length,
    cell: ({ row }) => <Marks methods={row.original.methods} />,
  },
  {
    id: "seeds",
    header: "Seeds",
    size: 88,
    meta: { numeric: true, drop: 4 },
    accessorFn: (row) => row.seeds.length,
    cell: ({ row }) => (
      <span title={`Seeds ${row.original.seeds.join(", ")}`}>{row.original.seeds.length}</span>
    ),
  },
  {
    id: "data",
    header: "Data set",
    size: 160,
    meta: { drop: 6 },
    accessorFn: (row) => row.dataset_name,
  },
  {
    id: "model",
    header: "Base model",
    size: 160,
    meta: { drop: 7 },
    accessorFn: (row) => row.base_model_name,
  },
  {
    id: "started",
    header: "Started",
    size: 116,
    meta: { drop: 3 },
    accessorFn: (row) => row.created_at,
    cell: ({ row }) => <Time at={row.original.created_at} />,
  },
  {
    id: "eta",
    header: "ETA",
    size: 92,
    meta: { numeric: true, drop: 5 },
    accessorFn: (row) => row.eta_seconds ?? -1,
    cell: ({ row }) =>
      row.original.state === "running" && <NumberCell>{eta(row.original.eta_seconds)}</NumberCell>,
  },
];

/** Methods as marks: 40 of them still fit; the names are in the title. */
function Marks({ methods }: { methods: string[] }) {
  return (
    <span
      className={classes.marks}
      role="img"
      aria-label={`${methods.length} methods: ${methods.join(", ")}`}
      title={methods.join("\n")}
    >
      {methods.map((method) => (
        <MethodMark key={method} look={lookOfLabel(method)} />
      ))}
    </span>
  );
}

/** All experiments, newest first. */
export function ExperimentsPage() {
  const experiments = useInfiniteQuery(experimentsOptions());
  const rows = useMemo(
    () => experiments.data?.pages.flatMap((page) => page.items) ?? [],
    [experiments.data],
  );
  const empty = experiments.isSuccess && rows.length === 0;
  return (
    <>
      <PageHeader
        title="Experiments"
        facts="Methods × seeds on one data set and one base model."
        actions={
          <>
            <Button variant="default" component={Link} to={paths.paper}>
              The paper in miniature
            </Button>
            {!empty && (
              <Button component={Link} to={paths.newExperiment}>
                New experiment
              </Button>
            )}
          </>
        }
      />
      {experiments.isPending ? (
        <PanelSkeleton rows={10} />
      ) : experiments.isError ? (
        <PanelError
          title="Experiments"
          error={experiments.error}
          onRetry={() => void experiments.refetch()}
        />
      ) : (
        <DataTable
          label="Experiments"
          columns={COLUMNS}
          rows={rows}
          rowId={(row) => row.id}
          rowHref={(row) => paths.experiment(row.id)}
          maxHeight="calc(100vh - 150px)"
          onEndReached={() => {
            if (experiments.hasNextPage && !experiments.isFetchingNextPage)
              void experiments.fetchNextPage();
          }}
          fetchingMore={experiments.isFetchingNextPage}
          empty={
            <EmptyState
              icon="experiments"
              title="No experiments yet"
              action={
                <Button component={Link} to={paths.newExperiment}>
                  New experiment
                </Button>
              }
            >
              An experiment trains several methods on the same questions, candidates and seeds, and
              compares them. The form comes filled in for the built-in task and model.
            </EmptyState>
          }
        />
      )}
    </>
  );
}
