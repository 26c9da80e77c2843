import { Button, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { sendFile } from "@/api/upload";
import { paths } from "@/app/paths";
import { FileDrop } from "@/components/FileDrop";
import { bytes } from "@/components/format";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import classes from "./Datasets.module.css";
import { previewOptions, type Upload, useImport } from "./queries";

const ENDINGS = [".jsonl", ".json", ".csv", ".tsv", ".parquet", ".txt", ".gz"];
const TASKS = ["gsm8k", "aqua", "ecqa", "mmlu", "math", "arithmetic", "mixed"] as const;
type Task = (typeof TASKS)[number];

/** Files in, recognised, previewed, imported. */
export function UploadPage() {
  const navigate = useNavigate();
  const [uploads, setUploads] = useState<Upload[]>([]);
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
        setUploads((before) => [...before, upload]);
      } catch (error) {
        setFailure(error);
        break;
      }
    }
    setSending(null);
  };
  const found = uploads.find((one) => one.detection.task !== null)?.detection.task ?? null;
  const chosen = task ?? found;
  const title = name ?? uploads[0]?.filename.replace(/\..*$/, "") ?? "";
  const submit = () => {
    if (chosen === null) return;
    start.mutate(
      {
        dataset_name: title,
        description: "",
        task: chosen,
        files: uploads.map((one) => ({ upload_id: one.id })),
        on_invalid: invalid,
      },
      { onSuccess: (started) => navigate(paths.dataset(started.dataset_id)) },
    );
  };
  return (
    <>
      <PageHeader title="Upload a data set" parent={{ label: "Data sets", to: paths.datasets }} />
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
        {uploads.map((upload) => (
          <Received
            key={upload.id}
            upload={upload}
            onRemove={() => setUploads((before) => before.filter((one) => one.id !== upload.id))}
          />
        ))}
        {uploads.length > 0 && (
          <Panel title="Import">
            <div className={classes.fields}>
              <TextInput
                label="Name"
                value={title}
                onChange={(event) => setName(event.currentTarget.value)}
              />
              <Select
                label="Task"
                data={[...TASKS]}
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
            <Button
              mt="md"
              onClick={submit}
              loading={start.isPending}
              disabled={chosen === null || title === ""}
            >
              Import
            </Button>
          </Panel>
        )}
      </div>
    </>
  );
}

function Received({ upload, onRemove }: { upload: Upload; onRemove: () => void }) {
  const preview = useQuery(previewOptions(upload.id));
  return (
    <Panel
      title={upload.filename}
      note={bytes(upload.size_bytes)}
      actions={
        <Button size="xs" variant="default" onClick={onRemove}>
          Remove
        </Button>
      }
    >
      <p>{upload.detection.why}</p>
      {upload.detection.note !== null && <Notice level="note">{upload.detection.note}</Notice>}
      {upload.problem !== null && <Notice level="warning">{upload.problem}</Notice>}
      {preview.isPending ? (
        <PanelSkeleton rows={4} />
      ) : preview.isError ? (
        <PanelError error={preview.error} onRetry={() => void preview.refetch()} />
      ) : (
        <div className={classes.scroller}>
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">Row</th>
                <th scope="col">Question</th>
                <th scope="col">Reference COT</th>
                <th scope="col">Gold answer</th>
              </tr>
            </thead>
            <tbody>
              {preview.data.rows.slice(0, 8).map((row) => (
                <tr key={row.row_number}>
                  <td>{row.row_number}</td>
                  <td className={classes.cell}>{row.question}</td>
                  <td className={classes.cell}>{row.reference}</td>
                  <td>
                    {row.error === null
                      ? row.gold
                      : `${row.error.column === null ? "" : `${row.error.column}: `}${row.error.reason}`}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
