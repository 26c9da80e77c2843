import { Button, Menu } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo, useState } from "react";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { ConfirmDestructive } from "@/components/ConfirmDestructive";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { bytes, count, counted } from "@/components/format";
import { MethodName } from "@/components/MethodMark";
import { Time } from "@/components/Numbers";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import classes from "./Models.module.css";
import {
  type Checkpoint,
  checkpointsOptions,
  type ExportForm,
  exportHref,
  useDeleteCheckpoint,
} from "./queries";

/** Models that runs here have trained: lineage, size, export, deletion with what uses them. */
export function TrainedModels() {
  const checkpoints = useInfiniteQuery(checkpointsOptions());
  const [deleting, setDeleting] = useState<Checkpoint | null>(null);
  const rows = useMemo(
    () => checkpoints.data?.pages.flatMap((page) => page.items) ?? [],
    [checkpoints.data],
  );
  const columns = useMemo(() => columnsOf(setDeleting), []);
  return (
    <section aria-labelledby="trained-models" className={classes.section}>
      <h2 id="trained-models" className={classes.heading}>
        Trained models
      </h2>
      {checkpoints.isPending ? (
        <PanelSkeleton rows={6} />
      ) : checkpoints.isError ? (
        <PanelError
          title="Trained models"
          error={checkpoints.error}
          onRetry={() => void checkpoints.refetch()}
        />
      ) : (
        <DataTable
          label="Trained models"
          columns={columns}
          rows={rows}
          rowId={(row) => row.id}
          maxHeight="520px"
          onEndReached={() => {
            if (checkpoints.hasNextPage && !checkpoints.isFetchingNextPage)
              void checkpoints.fetchNextPage();
          }}
          fetchingMore={checkpoints.isFetchingNextPage}
          empty={
            <EmptyState icon="models" title="No trained models yet">
              Every training run leaves its final model here, to be exported as a Hugging Face
              directory with a model card.
            </EmptyState>
          }
        />
      )}
      {deleting !== null && (
        <DeleteCheckpoint checkpoint={deleting} onClose={() => setDeleting(null)} />
      )}
    </section>
  );
}

const columnsOf = (
  onDelete: (checkpoint: Checkpoint) => void,
): ColumnDef<Checkpoint, unknown>[] => [
  {
    id: "run",
    header: "Trained by",
    size: 190,
    meta: { grow: true },
    cell: ({ row }) => <Link to={paths.run(row.original.run_id)}>{row.original.run_name}</Link>,
  },
  {
    id: "method",
    header: "Method",
    size: 150,
    meta: { drop: 1 },
    cell: ({ row }) =>
      row.original.method === null ? "" : <MethodName label={row.original.method} />,
  },
  {
    id: "base",
    header: "From",
    size: 128,
    meta: { drop: 2 },
    cell: ({ row }) => row.original.base_model_name ?? "",
  },
  {
    id: "step",
    header: "Steps",
    size: 76,
    meta: { numeric: true, drop: 5 },
    cell: ({ row }) => count(row.original.step),
  },
  {
    id: "size",
    header: "Size",
    size: 84,
    meta: { numeric: true, drop: 1 },
    cell: ({ row }) => bytes(row.original.size_bytes),
  },
  {
    id: "used",
    header: "Used by",
    size: 82,
    meta: { drop: 3 },
    cell: ({ row }) => {
      const n = row.original.used_by.length;
      return n === 0 ? "" : counted(n, "run");
    },
  },
  {
    id: "at",
    header: "Made",
    size: 132,
    meta: { drop: 4 },
    cell: ({ row }) => <Time at={row.original.created_at} />,
  },
  {
    id: "actions",
    header: () => <span className="visually-hidden">Actions</span>,
    enableSorting: false,
    size: 152,
    cell: ({ row }) => (
      <span className={classes.actions}>
        <ExportModel checkpoint={row.original} />
        <Button
          size="compact-sm"
          variant="subtle"
          onClick={() => onDelete(row.original)}
          aria-label={`Delete the model of ${row.original.run_name}`}
        >
          Delete
        </Button>
      </span>
    ),
  },
];

const FORMS: Record<ExportForm, string> = {
  whole: "Whole model",
  adapter: "Adapter alone",
  merged: "Merged into its base model",
};

/** Links: the browser writes to disk and shows how far it is. */
function ExportModel({ checkpoint }: { checkpoint: Checkpoint }) {
  const [only, ...others] = checkpoint.exports;
  if (only === undefined) return null;
  const label = `Export ${checkpoint.run_name}, ${bytes(checkpoint.size_bytes)}`;
  if (others.length === 0)
    return (
      <Button
        size="compact-sm"
        variant="default"
        component="a"
        href={exportHref(checkpoint.id, only)}
        download
        aria-label={only === "whole" ? label : `${label}, ${FORMS[only].toLowerCase()}`}
      >
        Export
      </Button>
    );
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button size="compact-sm" variant="default" aria-label={label}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {checkpoint.exports.map((form) => (
          <Menu.Item
            key={form}
            component="a"
            href={exportHref(checkpoint.id, form)}
            download
            closeMenuOnClick
          >
            {FORMS[form]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function DeleteCheckpoint({
  checkpoint,
  onClose,
}: {
  checkpoint: Checkpoint;
  onClose: () => void;
}) {
  const remove = useDeleteCheckpoint();
  const users = checkpoint.used_by.map((user) => `${user.kind} ${user.name}`);
  return (
    <ConfirmDestructive
      opened
      onClose={onClose}
      title={`Delete the model of ${checkpoint.run_name}?`}
      destroys={[`weights of ${bytes(checkpoint.size_bytes)}, step ${count(checkpoint.step)}`]}
      keeps={
        users.length === 0
          ? "No run reads it. Its numbers and COTs stay."
          : `${counted(users.length, "run")} read it, ${users.slice(0, 3).join(", ")} among them; their numbers and COTs stay, and cannot be computed again without training it anew.`
      }
      action="Delete model"
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(checkpoint.id, { onSuccess: onClose })}
    />
  );
}
