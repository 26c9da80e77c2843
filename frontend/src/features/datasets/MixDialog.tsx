import { Button, Checkbox, Modal, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { paths } from "@/app/paths";
import { count } from "@/components/format";
import { PanelError } from "@/components/PanelError";
import classes from "./Datasets.module.css";
import { type DatasetRow, splitsOptions, useMix } from "./queries";

interface Props {
  /** Data sets with a version that is ready. */
  datasets: DatasetRow[];
  onClose: () => void;
}

/** Makes one data set of several; each question keeps its task. */
export function MixDialog({ datasets, onClose }: Props) {
  const navigate = useNavigate();
  const mix = useMix();
  const [name, setName] = useState("");
  // By version: the split whose questions are taken, empty for all.
  const [chosen, setChosen] = useState<Record<string, string>>({});
  const toggle = (versionId: string) =>
    setChosen(({ [versionId]: before, ...others }) =>
      before === undefined ? { ...others, [versionId]: "" } : others,
    );
  const submit = () =>
    mix.mutate(
      {
        dataset_name: name.trim(),
        description: "",
        sources: Object.entries(chosen).map(([version_id, split]) => ({
          version_id,
          split_id: split === "" ? null : split,
        })),
      },
      { onSuccess: (started) => navigate(paths.dataset(started.dataset_id)) },
    );
  return (
    <Modal opened onClose={onClose} title="Mix data sets" size="lg">
      <p>
        Makes a new data set of the chosen ones. Each question keeps its own task, so prompts and
        answers stay right, and results are also given for each task.
      </p>
      <TextInput
        label="Name"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <ul className={classes.sources}>
        {datasets.map(({ id, name: label, task, newest }) => {
          if (newest === null) return null;
          const split = chosen[newest.id];
          return (
            <li key={id}>
              <Checkbox
                label={`${label} · ${task} · ${count(newest.n_rows)} questions`}
                checked={split !== undefined}
                onChange={() => toggle(newest.id)}
              />
              {split !== undefined && (
                <SplitChoice
                  versionId={newest.id}
                  label={label}
                  value={split}
                  onChange={(value) => setChosen((before) => ({ ...before, [newest.id]: value }))}
                />
              )}
            </li>
          );
        })}
      </ul>
      {mix.isError && <PanelError error={mix.error} />}
      <Button
        mt="md"
        onClick={submit}
        loading={mix.isPending}
        disabled={name.trim() === "" || Object.keys(chosen).length < 2}
      >
        Mix
      </Button>
    </Modal>
  );
}

function SplitChoice(props: {
  versionId: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  const splits = useQuery(splitsOptions(props.versionId));
  const all = { value: "", label: "all questions, parts as in the files" };
  return (
    <Select
      size="xs"
      aria-label={`Questions of ${props.label}`}
      allowDeselect={false}
      data={[all, ...(splits.data ?? []).map((one) => ({ value: one.id, label: one.name }))]}
      value={props.value}
      onChange={(value) => props.onChange(value ?? "")}
    />
  );
}
