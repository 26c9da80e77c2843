import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { Link } from "react-router";
import type { Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { Time } from "@/components/Numbers";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { comparableOptions } from "./queries";

type Row = Schema<"ExperimentSummary">;

const COLUMNS: ColumnDef<Row, unknown>[] = [
  {
    id: "name",
    header: "Experiment",
    size: 320,
    meta: { grow: true },
    cell: ({ row }) => <Link to={paths.comparison(row.original.id)}>{row.original.name}</Link>,
  },
  {
    id: "methods",
    header: "Methods",
    size: 96,
    meta: { numeric: true },
    cell: ({ row }) => row.original.methods.length,
  },
  {
    id: "seeds",
    header: "Seeds",
    size: 80,
    meta: { numeric: true },
    cell: ({ row }) => row.original.seeds.length,
  },
  { id: "data", header: "Data set", size: 200, cell: ({ row }) => row.original.dataset_name },
  { id: "state", header: "State", size: 110, cell: ({ row }) => row.original.state },
  {
    id: "at",
    header: "Started",
    size: 130,
    cell: ({ row }) => <Time at={row.original.created_at} />,
  },
];

/** Which experiment's methods to compare. */
export function ChooseExperiment() {
  const experiments = useQuery(comparableOptions());
  return (
    <>
      <PageHeader
        title="Compare"
        facts="Choose an experiment to see its methods side by side."
        actions={
          <Button variant="default" component={Link} to={paths.runs}>
            Compare runs instead
          </Button>
        }
      />
      {experiments.isPending ? (
        <PanelSkeleton rows={8} />
      ) : experiments.isError ? (
        <PanelError
          title="Experiments"
          error={experiments.error}
          onRetry={() => void experiments.refetch()}
        />
      ) : (
        <DataTable
          label="Experiments to compare"
          columns={COLUMNS}
          rows={experiments.data.items}
          rowId={(row) => row.id}
          rowHref={(row) => paths.comparison(row.id)}
          empty={
            <EmptyState
              icon="compare"
              title="Nothing to compare yet"
              action={
                <Button component={Link} to={paths.newExperiment}>
                  New experiment
                </Button>
              }
            >
              An experiment trains several methods on the same data and seeds. Its comparison is
              shown here while it runs.
            </EmptyState>
          }
        />
      )}
    </>
  );
}
