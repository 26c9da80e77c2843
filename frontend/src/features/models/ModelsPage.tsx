import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { DataTable } from "@/components/DataTable";
import { bytes, count } from "@/components/format";
import { Time } from "@/components/Numbers";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { AddModel } from "./AddModel";
import classes from "./Models.module.css";
import { type Model, modelsOptions, useMakeModel } from "./queries";
import { TrainedModels } from "./TrainedModels";

const SOURCES: Record<string, string> = {
  builtin: "built in",
  tiny: "made here",
  hub: "hub",
  local: "directory",
};

const COLUMNS: ColumnDef<Model, unknown>[] = [
  {
    id: "name",
    header: "Name",
    size: 220,
    meta: { grow: true },
    cell: ({ row }) => row.original.name,
  },
  {
    id: "source",
    header: "Source",
    size: 104,
    meta: { drop: 3 },
    cell: ({ row }) => SOURCES[row.original.source] ?? row.original.source,
  },
  {
    id: "parameters",
    header: "Parameters",
    size: 116,
    meta: { numeric: true, drop: 1 },
    cell: ({ row }) => count(row.original.facts?.parameters ?? null),
  },
  {
    id: "window",
    header: "Window (tokens)",
    size: 144,
    meta: { numeric: true, drop: 5 },
    cell: ({ row }) => count(row.original.facts?.window ?? null),
  },
  {
    id: "size",
    header: "Size",
    size: 90,
    meta: { numeric: true, drop: 2 },
    cell: ({ row }) => bytes(row.original.facts?.size_bytes ?? null),
  },
  {
    id: "state",
    header: "State",
    size: 130,
    cell: ({ row }) => {
      const { id, name, source, making, available } = row.original;
      if (available) return "ready";
      if (making !== null) return <Link to={paths.run(making.run_id)}>{making.state}</Link>;
      const isMadeHere = source === "builtin" || source === "tiny";
      return isMadeHere ? <MakeModel id={id} name={name} /> : "not made yet";
    },
  },
  {
    id: "at",
    header: "Added",
    size: 140,
    meta: { drop: 4 },
    cell: ({ row }) => <Time at={row.original.created_at} />,
  },
];

/** The registry of base models. */
export function ModelsPage() {
  const models = useQuery(modelsOptions());
  return (
    <>
      <PageHeader title="Models" facts="Base models that experiments start from" />
      <div className={classes.page}>
        {models.isPending ? (
          <PanelSkeleton rows={4} />
        ) : models.isError ? (
          <PanelError title="Models" error={models.error} onRetry={() => void models.refetch()} />
        ) : (
          <DataTable label="Models" columns={COLUMNS} rows={models.data} rowId={(row) => row.id} />
        )}
        <AddModel />
        <TrainedModels />
      </div>
    </>
  );
}

/** A model that is made here is made when an experiment needs it, or now. */
function MakeModel({ id, name }: { id: string; name: string }) {
  const make = useMakeModel();
  return (
    <Button
      size="compact-sm"
      variant="default"
      aria-label={`Make ${name}`}
      loading={make.isPending}
      onClick={() => make.mutate(id)}
    >
      Make
    </Button>
  );
}
