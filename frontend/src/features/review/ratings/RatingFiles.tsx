import { Button, Select, Switch, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asApiError } from "@/api/client";
import { download } from "@/api/download";
import { FileDrop } from "@/components/FileDrop";
import { count, counted } from "@/components/format";
import { Notice } from "@/components/Notice";
import { Time } from "@/components/Numbers";
import { notifyDone, notifyError } from "@/components/notify";
import { Panel } from "@/components/Panel";
import {
  importsOptions,
  type Scale,
  type Source,
  useCheckImport,
  useImportRatings,
  useUndoImport,
} from "./queries";
import classes from "./Ratings.module.css";

interface Props {
  source: Source;
  /** Whether there is anything to export. */
  hasRatings: boolean;
}

const FORMATS = ["jsonl", "csv", "parquet"] as const;
const SCALES: { value: Scale; label: string }[] = [
  { value: "1-10", label: "1 to 10" },
  { value: "verify", label: "0 wrong, 0.5 unsure, 1 right" },
  { value: "binary", label: "0 wrong, 1 right" },
  { value: "rank", label: "0 to 1, share of the others beaten" },
];
const ACCEPTED = [".jsonl", ".json", ".csv", ".tsv", ".parquet", ".gz"];

/** Ratings into files and from files. */
export function RatingFiles({ source, hasRatings }: Props) {
  return (
    <Panel title="Files">
      <div className={classes.files}>
        <Exports source={source} hasRatings={hasRatings} />
        <Imports source={source} />
      </div>
    </Panel>
  );
}

function Exports({ source, hasRatings }: Props) {
  const [format, setFormat] = useState<(typeof FORMATS)[number]>("jsonl");
  const [revisions, setRevisions] = useState(false);
  const [busy, setBusy] = useState(false);
  const query = new URLSearchParams({ ...source, format, revisions: String(revisions) });
  return (
    <section>
      <h3>Export</h3>
      <div className={classes.row}>
        <Select
          size="xs"
          w={110}
          aria-label="Format"
          allowDeselect={false}
          data={FORMATS.map((one) => ({ value: one, label: one.toUpperCase() }))}
          value={format}
          onChange={(value) => setFormat((value ?? "jsonl") as typeof format)}
        />
        <Button
          size="xs"
          variant="default"
          disabled={!hasRatings}
          loading={busy}
          onClick={() => {
            setBusy(true);
            download(`/api/v1/ratings/export?${query}`, "ratings.zip")
              .catch(notifyError)
              .finally(() => setBusy(false));
          }}
        >
          Export ratings
        </Button>
      </div>
      <Switch
        size="xs"
        mt={8}
        label="Every revision, also those that no longer count"
        checked={revisions}
        onChange={(event) => setRevisions(event.currentTarget.checked)}
      />
    </section>
  );
}

function Imports({ source }: { source: Source }) {
  const [file, setFile] = useState<File | null>(null);
  const [scale, setScale] = useState<Scale>("1-10");
  const [rater, setRater] = useState("");
  const check = useCheckImport(source);
  const store = useImportRatings();
  const undo = useUndoImport();
  const earlier = useQuery(importsOptions(source));
  const report = check.data?.report;
  const refused = asApiError(check.error ?? store.error);
  const look = (chosen: File | null, changes: { scale?: Scale; rater?: string } = {}) => {
    if (chosen !== null) check.mutate({ file: chosen, scale, rater, ...changes });
  };
  return (
    <section>
      <h3>Import</h3>
      <FileDrop
        accept={ACCEPTED}
        onFiles={([chosen]) => {
          setFile(chosen ?? null);
          look(chosen ?? null);
        }}
      >
        {file === null
          ? "Rows with value, and candidate_id or question_id and text"
          : `${file.name}${check.isPending ? " · looking" : ""}`}
      </FileDrop>
      <div className={classes.row}>
        <Select
          size="xs"
          label="Scale of the values"
          allowDeselect={false}
          data={SCALES}
          value={scale}
          onChange={(value) => {
            const next = (value ?? "1-10") as Scale;
            setScale(next);
            look(file, { scale: next });
          }}
        />
        <TextInput
          size="xs"
          label="Rater, where a row names none"
          maxLength={80}
          value={rater}
          onChange={(event) => setRater(event.currentTarget.value)}
          onBlur={() => look(file)}
        />
      </div>
      {refused !== undefined && (
        <Notice level="error" title={refused.title}>
          <p>
            {refused.detail} {refused.remedy}
          </p>
        </Notice>
      )}
      {report !== undefined && (
        <>
          <ul className={classes.report}>
            <li>
              {count(report.valid)} of {counted(report.rows, "row")} fit: {count(report.by_id)} by
              id, {count(report.by_text)} by text
            </li>
            {report.first_errors.slice(0, 8).map((error) => (
              <li key={`${error.row} ${error.column}`} className={classes.error}>
                Row {error.row}, {error.column}: <bdi>{error.reason}</bdi>
              </li>
            ))}
            {report.errors > 8 && <li>{count(report.errors - 8)} more</li>}
          </ul>
          <Button
            size="xs"
            mt={8}
            disabled={report.valid === 0}
            loading={store.isPending}
            onClick={() =>
              check.data !== undefined &&
              store.mutate(
                { ...check.data.body, skip_errors: report.errors > 0 },
                {
                  onSuccess: (made) => {
                    notifyDone(`${counted(made.report.valid, "rating")} imported.`);
                    check.reset();
                    setFile(null);
                  },
                },
              )
            }
          >
            {report.errors > 0
              ? `Import the ${count(report.valid)} valid rows`
              : `Import ${counted(report.valid, "rating")}`}
          </Button>
        </>
      )}
      {(earlier.data?.length ?? 0) > 0 && (
        <ul className={classes.report}>
          {earlier.data?.map((one) => (
            <li key={one.id} className={classes.row}>
              <bdi>{one.filename}</bdi>
              <span className={classes.dim}>
                {counted(one.report.valid, "rating")} · <Time at={one.created_at} relative />
              </span>
              {one.settings.undone === true ? (
                <span className={classes.dim}>taken back</span>
              ) : (
                <Button
                  size="compact-xs"
                  variant="default"
                  onClick={() => undo.mutate(one.id, { onError: notifyError })}
                >
                  Undo
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
