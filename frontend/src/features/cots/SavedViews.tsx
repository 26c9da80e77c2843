import { ActionIcon, Button, Checkbox, Menu, Modal, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useSearchParams } from "react-router";
import { Icon } from "@/components/Icon";
import classes from "./CotsPage.module.css";
import { type SavedView, useViews, viewsOptions } from "./queries";
import { PLACE, viewQuery } from "./selection";

interface Props {
  experimentId: string | null;
  query: URLSearchParams;
  change: (values: Record<string, string | null>) => void;
}

/** Filters kept by name: everywhere, or for this experiment. */
export function SavedViews({ experimentId, query }: Props) {
  const views = useQuery(viewsOptions(experimentId));
  const { create, rename, remove, restore } = useViews();
  const [, setQuery] = useSearchParams();
  const [naming, setNaming] = useState<SavedView | "new" | null>(null);
  const show = (view: SavedView) =>
    setQuery((before) => {
      const next = new URLSearchParams(view.query);
      for (const name of ["set", ...PLACE]) {
        const value = before.get(name);
        if (value !== null) next.set(name, value);
      }
      return next;
    });
  const drop = (view: SavedView) =>
    remove.mutate(view.id, {
      onSuccess: () => {
        const id = notifications.show({
          message: (
            <span className={classes.undo}>
              View “{view.name}” is deleted.
              <Button
                size="compact-xs"
                variant="default"
                onClick={() => {
                  restore.mutate(view.id);
                  notifications.hide(id);
                }}
              >
                Undo
              </Button>
            </span>
          ),
          autoClose: 10_000,
        });
      },
    });
  const keep = (name: string, everywhere: boolean) => {
    setNaming(null);
    if (naming === "new")
      create.mutate({
        name,
        query: viewQuery(query),
        experiment_id: everywhere ? null : experimentId,
      });
    else if (naming !== null) rename.mutate({ id: naming.id, name });
  };
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <Button size="xs" variant="default" rightSection={<Icon name="chevron-down" size={14} />}>
            Views
          </Button>
        </Menu.Target>
        <Menu.Dropdown miw={240}>
          {(views.data ?? []).map((view) => (
            <div key={view.id} className={classes.view}>
              <Menu.Item onClick={() => show(view)}>{view.name}</Menu.Item>
              <ActionIcon
                variant="subtle"
                size="sm"
                aria-label={`Rename view ${view.name}`}
                onClick={() => setNaming(view)}
              >
                <Icon name="note" size={14} />
              </ActionIcon>
              <ActionIcon
                variant="subtle"
                size="sm"
                aria-label={`Delete view ${view.name}`}
                onClick={() => drop(view)}
              >
                <Icon name="trash" size={14} />
              </ActionIcon>
            </div>
          ))}
          {views.data?.length === 0 && <Menu.Label>No views are saved yet.</Menu.Label>}
          <Menu.Divider />
          <Menu.Item leftSection={<Icon name="plus" size={14} />} onClick={() => setNaming("new")}>
            Save these filters
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {naming !== null && (
        <NameDialog
          view={naming === "new" ? null : naming}
          offersPlace={naming === "new" && experimentId !== null}
          onKeep={keep}
          onClose={() => setNaming(null)}
        />
      )}
    </>
  );
}

interface DialogProps {
  view: SavedView | null;
  offersPlace: boolean;
  onKeep: (name: string, everywhere: boolean) => void;
  onClose: () => void;
}

function NameDialog({ view, offersPlace, onKeep, onClose }: DialogProps) {
  const [name, setName] = useState(view?.name ?? "");
  const [everywhere, setEverywhere] = useState(true);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== "") onKeep(name.trim(), everywhere);
  };
  return (
    <Modal opened onClose={onClose} title={view === null ? "Save these filters" : "Rename view"}>
      <form onSubmit={submit} className={classes.dialog}>
        <TextInput
          label="Name"
          data-autofocus
          maxLength={120}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {offersPlace && (
          <Checkbox
            label="Offer it on other experiments, too"
            checked={everywhere}
            onChange={(event) => setEverywhere(event.currentTarget.checked)}
          />
        )}
        <Button type="submit" disabled={name.trim() === ""}>
          {view === null ? "Save view" : "Rename view"}
        </Button>
      </form>
    </Modal>
  );
}
