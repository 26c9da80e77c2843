import { Button, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import type { Schema } from "@/api/client";
import { sendFile } from "@/api/upload";
import { paths } from "@/app/paths";
import { FileDrop } from "@/components/FileDrop";
import { bytes, counted } from "@/components/format";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { ColumnChoices } from "./ColumnChoices";
import classes from "./Import.module.css";
import { PreviewTable } from "./PreviewTable";
import { type Columns, datasetsOptions, previewOptions, useStartImport } from "./queries";

const ENDINGS = [".jsonl", ".json", ".csv", ".tsv", ".parquet", ".gz"];
type Invalid = "ask" | "skip" | "fail";
type Scale = "binary" | "verify" | "1-10";
const newRequestId = (): string => crypto.randomUUID().replaceAll("-", "");

/** A file of COTs in, matched with a data set's questions, previewed, imported. */
export function ImportPage() {
  const navigate = useNavigate();
  const [upload, setUpload] = useState<Schema<"UploadRead">>();
  const [sending, setSending] = useState<string | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [versionId, setVersionId] = useState<string | null>(null);
  const [columns, setColumns] = useState<Columns | null>(null);
  const [name, setName] = useState<string | null>(null);
  const [rater, setRater] = useState("");
  const [scale, setScale] = useState<Scale | null>(null);
  const [invalid, setInvalid] = useState<Invalid>("ask");
  const [requestId] = useState(newRequestId);
  const datasets = useQuery(datasetsOptions());
  const preview = useQuery(previewOptions(upload?.id, versionId, columns));
  const start = useStartImport();

  const take = async ([file]: File[]) => {
    if (file === undefined) return;
    setFailure(null);
    setColumns(null);
    setSending(file.name);
    try {
      setUpload(await sendFile(file));
    } catch (error) {
      setFailure(error);
    }
    setSending(null);
  };
  const versions = (datasets.data ?? []).flatMap((one) =>
    one.newest === null
      ? []
      : [{ value: one.newest.id, label: `${one.name} · ${one.task} · v${one.newest.number}` }],
  );
  const title = name ?? upload?.filename.replace(/\..*$/, "") ?? "";
  const found = preview.data;
  const submit = () => {
    if (upload === undefined || versionId === null) return;
    start.mutate(
      {
        upload_id: upload.id,
        dataset_version_id: versionId,
        name: title,
        columns: columns ?? found?.columns ?? null,
        rater: rater.trim() === "" ? null : rater.trim(),
        scale: scale ?? found?.scale ?? null,
        on_invalid: invalid,
        request_id: requestId,
      },
      { onSuccess: ({ run_id }) => navigate(paths.cotImport(run_id)) },
    );
  };
  return (
    <>
      <PageHeader title="Import COTs" parent={{ label: "COTs", to: paths.cots }} />
      <div className={classes.page}>
        <FileDrop
          onFiles={(files) => void take(files)}
          accept={ENDINGS}
          disabled={sending !== null}
        >
          Drop a file of COTs, one a row: JSONL, JSON, CSV, TSV or Parquet, gzipped or not. Each row
          has the COT and its question's text or id; a rating, scores under checkpoints, a model and
          an id are welcome.
        </FileDrop>
        {sending !== null && <Notice level="note" title={`Sending ${sending} …`} />}
        {failure !== null && <PanelError error={failure} />}
        {datasets.data !== undefined && versions.length === 0 && (
          <Notice
            level="warning"
            title="There is no data set yet"
            action={<Link to={paths.newDataset}>Upload one</Link>}
          >
            COTs are matched with the questions of a data set, whose gold answers grade them.
          </Notice>
        )}
        {upload !== undefined && (
          <Panel title={upload.filename} note={bytes(upload.size_bytes)}>
            <div className={classes.fields}>
              <Select
                label="Questions of"
                placeholder="Choose the data set"
                searchable
                data={versions}
                value={versionId}
                onChange={setVersionId}
              />
              <TextInput
                label="Name"
                maxLength={120}
                value={title}
                onChange={(event) => setName(event.currentTarget.value)}
              />
              <Select
                label="Rows that cannot be taken"
                allowDeselect={false}
                data={[
                  { value: "ask", label: "ask me afterwards" },
                  { value: "skip", label: "leave them out" },
                  { value: "fail", label: "fail the import" },
                ]}
                value={invalid}
                onChange={(value) => setInvalid((value ?? "ask") as Invalid)}
              />
            </div>
            {found !== undefined && (
              <ColumnChoices
                names={found.names}
                columns={columns ?? found.columns}
                onChange={setColumns}
              />
            )}
            {found !== undefined && found.n_rated > 0 && (
              <div className={classes.fields}>
                <TextInput
                  label="Rated by"
                  placeholder={upload.filename}
                  maxLength={80}
                  value={rater}
                  onChange={(event) => setRater(event.currentTarget.value)}
                />
                <Select
                  label="Ratings are"
                  allowDeselect={false}
                  data={[
                    { value: "binary", label: "right or wrong" },
                    { value: "verify", label: "0 to 1" },
                    { value: "1-10", label: "1 to 10" },
                  ]}
                  value={scale ?? found.scale}
                  onChange={(value) => setScale(value as Scale)}
                />
              </div>
            )}
          </Panel>
        )}
        {upload !== undefined && versionId !== null && preview.isPending && (
          <PanelSkeleton title="First rows" rows={8} />
        )}
        {preview.isError && (
          <PanelError error={preview.error} onRetry={() => void preview.refetch()} />
        )}
        {found !== undefined && found.rows.length > 0 && (
          <Panel
            title="First rows"
            note={
              found.n_errors === 0
                ? "all can be taken"
                : `${counted(found.n_errors, "row")} of ${found.rows.length} cannot be taken`
            }
            flush
          >
            <PreviewTable rows={found.rows} />
          </Panel>
        )}
        {found?.problem != null && <Notice level="warning">{found.problem}</Notice>}
        {start.isError && <PanelError error={start.error} />}
        {upload !== undefined && (
          <div>
            <Button
              onClick={submit}
              loading={start.isPending}
              disabled={versionId === null || title.trim() === "" || found?.problem != null}
            >
              Import COTs
            </Button>
          </div>
        )}
      </div>
    </>
  );
}
