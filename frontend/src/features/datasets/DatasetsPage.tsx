import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { useState } from "react";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { count } from "@/components/format";
import { Time } from "@/components/Numbers";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { MixDialog } from "./MixDialog";
import { type DatasetRow, datasetsOptions } from "./queries";

const COLUMNS: ColumnDef<DatasetRow, unknown>[] = [
  {
    id: "name",
    header: "Name",
    size: 220,
    meta: { grow: true },
    cell: ({ row }) => <Link to={paths.dataset(row.original.id)}>{row.original.name}</Link>,
  },
  {
    id: "task",
    header: "Task",
    size: 110,
    meta: { drop: 2 },
    cell: ({ row }) => row.original.task,
  },
  {
    id: "rows",
    header: "Questions",
    size: 100,
    meta: { numeric: true },
    cell: ({ row }) => count(row.original.newest?.n_rows ?? null),
  },
  {
    id: "versions",
    header: "Versions",
    size: 90,
    meta: { numeric: true, drop: 3 },
    cell: ({ row }) => row.original.n_versions,
  },
  {
    id: "pending",
    header: "Import",
    size: 150,
    meta: { drop: 1 },
    cell: ({ row }) => {
      const [pending] = row.original.pending;
      if (pending === undefined) return "";
      return pending.state === "review" ? "waits for a decision" : "under way";
    },
  },
  {
    id: "at",
    header: "Created",
    size: 130,
    meta: { drop: 4 },
    cell: ({ row }) => <Time at={row.original.created_at} />,
  },
];

/** All data sets. */
export function DatasetsPage() {
  const datasets = useQuery(datasetsOptions());
  const [isMixing, setMixing] = useState(false);
  const upload = (
    <Button component={Link} to={paths.newDataset}>
      Upload a data set
    </Button>
  );
  const mixable = (datasets.data ?? []).filter((row) => row.newest !== null);
  return (
    <>
      <PageHeader
        title="Data sets"
        actions={
          <>
            {mixable.length > 1 && (
              <Button variant="default" onClick={() => setMixing(true)}>
                Mix data sets
              </Button>
            )}
            {upload}
          </>
        }
      />
      {isMixing && <MixDialog datasets={mixable} onClose={() => setMixing(false)} />}
      {datasets.isPending ? (
        <PanelSkeleton rows={6} />
      ) : datasets.isError ? (
        <PanelError
          title="Data sets"
          error={datasets.error}
          onRetry={() => void datasets.refetch()}
        />
      ) : (
        <DataTable
          label="Data sets"
          columns={COLUMNS}
          rows={datasets.data}
          rowId={(row) => row.id}
          rowHref={(row) => paths.dataset(row.id)}
          empty={
            <EmptyState icon="datasets" title="No data set yet" action={upload}>
              A data set holds questions with a reference COT and a gold answer.
            </EmptyState>
          }
        />
      )}
    </>
  );
}
