import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "react-router";
import { paths } from "@/app/paths";
import { count, counted } from "@/components/format";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Progress } from "@/components/Progress";
import classes from "./Import.module.css";
import { type ImportRead, importOptions, useDecision } from "./queries";

/** What became of an import, and the decision where rows were refused. */
export function ImportResultPage() {
  const { runId = "" } = useParams();
  const found = useQuery(importOptions(runId));
  return (
    <>
      <PageHeader
        title={found.data?.name ?? "Import"}
        parent={{ label: "COTs", to: paths.cots }}
        facts={found.data?.filename}
      />
      {found.isPending ? (
        <PanelSkeleton rows={6} />
      ) : found.isError ? (
        <PanelError title="Import" error={found.error} onRetry={() => void found.refetch()} />
      ) : (
        <div className={classes.page}>
          <State read={found.data} />
          {found.data.n_rejected > 0 && <Rejects read={found.data} />}
        </div>
      )}
    </>
  );
}

function State({ read }: { read: ImportRead }) {
  const { accept, discard } = useDecision(read.run_id);
  const navigate = useNavigate();
  const look = <Link to={paths.run(read.run_id)}>Look at its run</Link>;
  const taken = `${counted(read.n_rows, "COT")} of ${counted(read.n_questions, "question")}${
    read.n_rated > 0 ? `, ${count(read.n_rated)} rated` : ""
  }${read.n_scored > 0 ? `, ${count(read.n_scored)} with scores under ${read.checkpoints.join(", ")}` : ""}`;
  if (read.state === "discarded")
    return <Notice level="note" title="The import was cancelled. Nothing of it was kept." />;
  if (read.run_state === "failed" || read.run_state === "cancelled")
    return (
      <Notice level="error" title={String(read.error?.title ?? `The import ${read.run_state}`)}>
        {String(read.error?.detail ?? "")} {look}
      </Notice>
    );
  if (read.state === "staging")
    return (
      <Panel title="Reading the file" actions={look}>
        <Progress
          label="Import"
          done={read.progress_done}
          total={read.progress_total}
          phase={read.progress_phase}
        />
      </Panel>
    );
  if (read.state === "review")
    return (
      <Notice
        level="warning"
        title={`${counted(read.n_rejected, "row")} of ${count(read.n_rows + read.n_rejected)} cannot be taken`}
        action={
          <>
            <Button
              variant="default"
              loading={discard.isPending}
              onClick={() => discard.mutate(undefined, { onSuccess: () => navigate(paths.cots) })}
            >
              Cancel import
            </Button>{" "}
            <Button
              loading={accept.isPending}
              onClick={() =>
                accept.mutate(undefined, { onSuccess: () => navigate(paths.cotSet(read.run_id)) })
              }
            >
              Import {counted(read.n_rows, "COT")}
            </Button>
          </>
        }
      >
        The others are {taken}.
      </Notice>
    );
  return (
    <Notice
      level="note"
      title={`Imported: ${taken}`}
      action={
        <Button component={Link} to={paths.cotSet(read.run_id)}>
          Look at the COTs
        </Button>
      }
    />
  );
}

function Rejects({ read }: { read: ImportRead }) {
  return (
    <Panel
      title="Rows that were not taken"
      note={`the first ${read.rejects.length} of ${count(read.n_rejected)}`}
      actions={
        <a href={`/api/v1/candidate-imports/${read.run_id}/rejects.jsonl`} download>
          Download all
        </a>
      }
      flush
    >
      <div className={classes.scroller}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">Row</th>
              <th scope="col">Reason</th>
              <th scope="col">What it holds</th>
            </tr>
          </thead>
          <tbody>
            {read.rejects.map((row) => (
              <tr key={row.row_number}>
                <td>{row.row_number}</td>
                <td className={classes.reason}>
                  {row.column === null ? "" : `${row.column}: `}
                  {row.reason}
                </td>
                <td className={classes.cell}>{row.excerpt}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
