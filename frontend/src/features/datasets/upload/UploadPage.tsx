import { Button, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { sendFile } from "@/api/upload";
import { paths } from "@/app/paths";
import { FileDrop } from "@/components/FileDrop";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import classes from "../Datasets.module.css";
import { datasetOptions, useImport } from "../queries";
import { ReceivedFile } from "./ReceivedFile";
import { needsColumns, type Reading, type Task } from "./reading";

const ENDINGS = [".jsonl", ".json", ".csv", ".tsv", ".parquet", ".txt", ".gz"];
const TASKS: Task[] = ["gsm8k", "aqua", "ecqa", "mmlu", "math", "arithmetic", "mixed"];

/** Files in, recognised or mapped, previewed, imported: as a data set, or as a new version of one. */
export function UploadPage() {
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const datasetId = search.get("dataset");
  const known = useQuery({ ...datasetOptions(datasetId ?? ""), enabled: datasetId !== null });
  const [readings, setReadings] = useState<Reading[]>([]);
  const [sending, setSending] = useState<string | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [name, setName] = useState<string | null>(null);
  const [task, setTask] = useState<Task | null>(null);
  const [invalid, setInvalid] = useState<"ask" | "skip" | "fail">("ask");
  const start = useImport();

  const take = async (files: File[]) => {
    setFailure(null);
    for (const file of files) {
      setSending(file.name);
      try {
        const upload = await sendFile(file);
        setReadings((before) => [...before, { upload, mapping: null, part: null, task: null }]);
      } catch (error) {
        setFailure(error);
        break;
      }
    }
    setSending(null);
  };
  const change = (id: string, changes: Partial<Reading>) =>
    setReadings((before) =>
      before.map((one) => (one.upload.id === id ? { ...one, ...changes } : one)),
    );
  const found =
    readings.map(({ upload }) => upload.detection.task).find((one) => one !== null) ?? null;
  const chosen = task ?? known.data?.task ?? found;
  const title = name ?? readings[0]?.upload.filename.replace(/\..*$/, "") ?? "";
  const open = readings.filter(needsColumns);
  const submit = () => {
    if (chosen === null) return;
    start.mutate(
      {
        ...(datasetId === null ? { dataset_name: title } : { dataset_id: datasetId }),
        description: "",
        task: chosen,
        files: readings.map(({ upload, mapping, part, task }) => ({
          upload_id: upload.id,
          mapping,
          part,
          task: chosen === "mixed" ? task : null,
        })),
        on_invalid: invalid,
      },
      { onSuccess: (started) => navigate(paths.dataset(started.dataset_id)) },
    );
  };
  return (
    <>
      <PageHeader
        title={datasetId === null ? "Upload a data set" : "Upload a new version"}
        parent={
          datasetId === null
            ? { label: "Data sets", to: paths.datasets }
            : { label: known.data?.name ?? "Data set", to: paths.dataset(datasetId) }
        }
      />
      <div className={classes.page}>
        <FileDrop
          onFiles={(files) => void take(files)}
          accept={ENDINGS}
          multiple
          disabled={sending !== null}
        >
          Drop JSONL, JSON, CSV, TSV or Parquet files, gzipped or not. Train and test files of one
          data set go together.
        </FileDrop>
        {sending !== null && <Notice level="note" title={`Sending ${sending} …`} />}
        {failure !== null && <PanelError error={failure} />}
        {known.isError && <PanelError error={known.error} />}
        {readings.map((reading) => (
          <ReceivedFile
            key={reading.upload.id}
            reading={reading}
            task={chosen}
            tasks={TASKS}
            onChange={(changes) => change(reading.upload.id, changes)}
            onRemove={() =>
              setReadings((before) => before.filter((one) => one.upload.id !== reading.upload.id))
            }
          />
        ))}
        {readings.length > 0 && (
          <Panel title="Import">
            <div className={classes.fields}>
              {datasetId === null && (
                <TextInput
                  label="Name"
                  value={title}
                  onChange={(event) => setName(event.currentTarget.value)}
                />
              )}
              <Select
                label="Task"
                description="How answers are read and compared"
                data={TASKS}
                disabled={known.data !== undefined}
                value={chosen}
                onChange={(value) => setTask(value as Task | null)}
              />
              <Select
                label="Rows that cannot be read"
                allowDeselect={false}
                data={[
                  { value: "ask", label: "ask me afterwards" },
                  { value: "skip", label: "leave them out" },
                  { value: "fail", label: "fail the import" },
                ]}
                value={invalid}
                onChange={(value) => setInvalid((value ?? "ask") as "ask" | "skip" | "fail")}
              />
            </div>
            {start.isError && <PanelError error={start.error} />}
            {open.length > 0 && (
              <p>{`Map the columns of ${open.map(({ upload }) => upload.filename).join(", ")} first.`}</p>
            )}
            <Button
              mt="md"
              onClick={submit}
              loading={start.isPending}
              disabled={chosen === null || (datasetId === null && title === "") || open.length > 0}
            >
              Import
            </Button>
          </Panel>
        )}
      </div>
    </>
  );
}
