import { Button } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { Facts } from "@/components/Facts";
import { bytes, count, counted } from "@/components/format";
import { Notice } from "@/components/Notice";
import { Time } from "@/components/Numbers";
import { Panel } from "@/components/Panel";
import classes from "./Datasets.module.css";
import { DrawSplit } from "./DrawSplit";
import type { Dataset, Version } from "./queries";

const PARTS: Record<string, string> = {
  train: "Train",
  validation: "Validation",
  test: "Test",
  unmarked: "Without a part",
};
const partName = (part: string | null): string => PARTS[part ?? "unmarked"] ?? part ?? "";

/** What a version holds and what its import found: counts, lengths, repeated questions, files. */
export function VersionPanel({ version, parts }: { version: Version; parts: Dataset["parts"] }) {
  const { report } = version;
  return (
    <Panel title={`Version ${version.number}`}>
      <div className={classes.facts}>
        <Facts
          items={[
            ["Questions", count(version.n_rows)],
            ...Object.entries(parts).map(([part, n]) => [partName(part), count(n)] as const),
            ["Left out", <Rejects key="rejects" version={version} />],
          ]}
        />
        {report !== null && (
          <Facts
            items={[
              ["Question length", lengths(report.question_length)],
              ["Reference length", lengths(report.reference_length)],
              ["Without reference", count(report.rows_without_reference)],
              ["Repeated questions", count(report.duplicates.rows)],
              [
                "In two parts",
                count(report.overlap.reduce((sum, overlap) => sum + overlap.rows, 0)),
              ],
            ]}
          />
        )}
      </div>
      {report?.overlap.map((overlap) => (
        <Notice
          key={overlap.parts.join()}
          level="warning"
          title={`${counted(overlap.rows, "question")} of ${partName(overlap.parts[1])} ${overlap.rows === 1 ? "stands" : "stand"} in ${partName(overlap.parts[0])} too`}
        >
          What is trained on would be tested on. Draw a split, which keeps them apart, or remove the
          rows and import again.
        </Notice>
      ))}
      <p className={classes.hash}>
        sha256 <code>{version.sha256 ?? "–"}</code>
      </p>
      {(report?.sources ?? []).map((source) => (
        <p key={`${source.filename} ${source.sha256}`} className={classes.hash}>
          {source.filename}: {bytes(source.size_bytes)}, {counted(source.rows, "row")}, sha256{" "}
          <code>{source.sha256}</code>
        </p>
      ))}
    </Panel>
  );
}

function Rejects({ version }: { version: Version }) {
  if (version.n_rejected === 0) return count(0);
  return (
    <span>
      {counted(version.n_rejected, "row")} ·{" "}
      <a href={`/api/v1/dataset-versions/${version.id}/rejects.jsonl`} download>
        with reasons
      </a>
    </span>
  );
}

type Lengths = NonNullable<Version["report"]>["question_length"];

const lengths = (of: Lengths): string =>
  of === null
    ? "–"
    : `median ${count(Math.round(of.median))}, 95\u00a0% below ${count(Math.round(of.p95))}, at most ${count(of.maximum)} characters`;

/** Splits of a version, drawn once and kept by id, and the form that draws one. */
export function Splits({ version, parts }: { version: Version; parts: Dataset["parts"] }) {
  const none = version.splits.length === 0;
  const [drawing, setDrawing] = useState(false);
  return (
    <Panel
      title="Splits"
      note="drawn once, kept by id"
      actions={
        !none &&
        !drawing && (
          <Button size="xs" variant="default" onClick={() => setDrawing(true)}>
            Draw another split
          </Button>
        )
      }
    >
      <div className={classes.page}>
        {none ? (
          <p className={`${classes.plain} ${classes.dim}`}>
            No split yet. An experiment trains, validates and tests on the parts of one: draw it
            here.
          </p>
        ) : (
          <ul className={classes.plain}>
            {version.splits.map((split) => (
              <li key={split.id}>
                <b>{split.name}</b>{" "}
                <span className={classes.dim}>
                  {Object.entries(split.counts)
                    .map(([part, n]) => `${partName(part)} ${count(Number(n))}`)
                    .join(" · ")}{" "}
                  · sha256 <code>{split.sha256.slice(0, 12)}</code>
                </span>
              </li>
            ))}
          </ul>
        )}
        {(none || drawing) && (
          <DrawSplit versionId={version.id} parts={parts} onDrawn={() => setDrawing(false)} />
        )}
      </div>
    </Panel>
  );
}

const STATES: Record<string, string> = {
  staging: "being read",
  review: "waits for a decision",
  ready: "ready",
  discarded: "import failed",
  deleting: "being removed",
};

/** All versions, newest first, each with the run that made it; and what uses any of them. */
export function Lineage({ dataset }: { dataset: Dataset }) {
  return (
    <div className={classes.two}>
      <Panel title="Versions" note="never changed once ready">
        <ul className={classes.plain}>
          {dataset.versions.map((version) => (
            <li key={version.id}>
              <b>Version {version.number}</b>{" "}
              <span className={classes.dim}>
                {STATES[version.state] ?? version.state} · {counted(version.n_rows, "question")} ·{" "}
                <Time at={version.created_at} />
                {version.import_run_id !== null && (
                  <>
                    {" · "}
                    <Link to={paths.run(version.import_run_id)}>import</Link>
                  </>
                )}
              </span>
            </li>
          ))}
        </ul>
      </Panel>
      <Panel title="Used by" note={count(dataset.used_by.length)}>
        {dataset.used_by.length === 0 ? (
          <p className={classes.dim}>No experiment and no run reads it yet.</p>
        ) : (
          <ul className={classes.plain}>
            {dataset.used_by.map((user) => (
              <li key={user.id}>
                <Link
                  to={user.kind === "experiment" ? paths.experiment(user.id) : paths.run(user.id)}
                >
                  {user.name}
                </Link>{" "}
                <span className={classes.dim}>{user.kind}</span>
              </li>
            ))}
          </ul>
        )}
      </Panel>
    </div>
  );
}
