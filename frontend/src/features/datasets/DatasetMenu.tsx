import { Button, Menu, Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { asApiError } from "@/api/client";
import { paths } from "@/app/paths";
import { ConfirmDestructive } from "@/components/ConfirmDestructive";
import { counted } from "@/components/format";
import { Icon } from "@/components/Icon";
import classes from "./Datasets.module.css";
import { type Dataset, useDeleteDataset, useRenameDataset } from "./queries";

/** What can be done with a data set as a whole. */
export function DatasetMenu({ dataset }: { dataset: Dataset }) {
  const [open, setOpen] = useState<"rename" | "delete" | null>(null);
  const close = () => setOpen(null);
  if (dataset.builtin) return null;
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" rightSection={<Icon name="chevron-down" size={14} />}>
            More
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component={Link} to={paths.newVersion(dataset.id)}>
            Upload a new version
          </Menu.Item>
          <Menu.Item onClick={() => setOpen("rename")}>Rename</Menu.Item>
          <Menu.Item color="red" onClick={() => setOpen("delete")}>
            Delete data set
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {open === "rename" && <Rename dataset={dataset} onClose={close} />}
      {open === "delete" && <Delete dataset={dataset} onClose={close} />}
    </>
  );
}

interface DialogProps {
  dataset: Dataset;
  onClose: () => void;
}

function Rename({ dataset, onClose }: DialogProps) {
  const [name, setName] = useState(dataset.name);
  const rename = useRenameDataset(dataset.id);
  const problem = asApiError(rename.error);
  return (
    <Modal
      opened
      onClose={onClose}
      title="Rename the data set"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form
        className={classes.page}
        onSubmit={(event) => {
          event.preventDefault();
          rename.mutate(name.trim(), { onSuccess: onClose });
        }}
      >
        <TextInput
          label="Name"
          data-autofocus
          maxLength={120}
          value={name}
          error={
            problem === undefined ? undefined : (problem.fieldMessage("name") ?? problem.detail)
          }
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button type="submit" disabled={name.trim() === ""} loading={rename.isPending}>
          Rename
        </Button>
      </form>
    </Modal>
  );
}

function Delete({ dataset, onClose }: DialogProps) {
  const navigate = useNavigate();
  const remove = useDeleteDataset(dataset.id);
  const rows = dataset.versions.reduce((sum, version) => sum + version.n_rows, 0);
  return (
    <ConfirmDestructive
      opened
      onClose={onClose}
      title={`Delete data set ${dataset.name}?`}
      destroys={[
        `${counted(rows, "question")} of ${counted(dataset.versions.length, "version")}, and the splits`,
      ]}
      keeps={
        dataset.used_by.length === 0
          ? "Nothing uses it. The files it was imported from are not kept here."
          : `${counted(dataset.used_by.length, "experiment or run", "experiments and runs")} use it, so it cannot be deleted before they are.`
      }
      action="Delete data set"
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(undefined, { onSuccess: () => navigate(paths.datasets) })}
    />
  );
}
