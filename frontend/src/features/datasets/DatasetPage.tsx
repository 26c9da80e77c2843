import { Button, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { paths } from "@/app/paths";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { count, counted } from "@/components/format";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { DatasetMenu } from "./DatasetMenu";
import classes from "./Datasets.module.css";
import {
  type Dataset,
  datasetOptions,
  type Example,
  examplesOptions,
  useDecision,
} from "./queries";
import { Lineage, Splits, VersionPanel } from "./VersionPanels";

const COLUMNS: ColumnDef<Example, unknown>[] = [
  {
    id: "part",
    header: "Part",
    size: 90,
    meta: { drop: 2 },
    cell: ({ row }) => row.original.part ?? "–",
  },
  {
    id: "question",
    header: "Question",
    size: 220,
    meta: { grow: true },
    cell: ({ row }) => <span className={classes.cell}>{row.original.question}</span>,
  },
  {
    id: "reference",
    header: "Reference COT",
    size: 320,
    meta: { drop: 1 },
    cell: ({ row }) => <span className={classes.cell}>{row.original.reference}</span>,
  },
  { id: "answer", header: "Gold answer", size: 110, cell: ({ row }) => row.original.answer },
];

/** One data set: its newest version, its questions, imports that wait for a decision. */
export function DatasetPage() {
  const { datasetId = "" } = useParams();
  const dataset = useQuery({
    ...datasetOptions(datasetId),
    refetchInterval: (query) => ((query.state.data?.pending.length ?? 0) > 0 ? 2_000 : false),
  });
  if (dataset.isPending) return <PanelSkeleton rows={10} />;
  if (dataset.isError)
    return (
      <PanelError title="Data set" error={dataset.error} onRetry={() => void dataset.refetch()} />
    );
  return <Loaded dataset={dataset.data} />;
}

function Loaded({ dataset }: { dataset: Dataset }) {
  const { newest } = dataset;
  const whole = dataset.versions.find((version) => version.id === newest?.id);
  return (
    <>
      <PageHeader
        title={dataset.name}
        parent={{ label: "Data sets", to: paths.datasets }}
        facts={`${dataset.task} · ${counted(dataset.n_versions, "version")}`}
        actions={
          <>
            <DatasetMenu dataset={dataset} />
            <Button
              component={Link}
              to={`${paths.newExperiment}?dataset=${newest?.id ?? ""}`}
              disabled={newest === null}
            >
              New experiment
            </Button>
          </>
        }
      />
      <div className={classes.page}>
        {dataset.description !== "" && <p>{dataset.description}</p>}
        {dataset.pending.map((version) => (
          <Pending key={version.id} version={version} />
        ))}
        {newest !== null && (
          <>
            {whole !== undefined && <VersionPanel version={whole} parts={dataset.parts} />}
            {whole !== undefined && <Splits version={whole} parts={dataset.parts} />}
            <Examples versionId={newest.id} />
          </>
        )}
        <Lineage dataset={dataset} />
      </div>
    </>
  );
}

function Pending({ version }: { version: Dataset["pending"][number] }) {
  const accept = useDecision(version.id, "accept");
  const discard = useDecision(version.id, "discard");
  if (version.state !== "review")
    return (
      <Notice
        level="note"
        title="The import is under way"
        action={
          version.import_run_id !== null && (
            <Link to={paths.run(version.import_run_id)}>Look at its run</Link>
          )
        }
      >
        {counted(version.n_rows, "row")} read so far.
      </Notice>
    );
  return (
    <Notice
      level="warning"
      title={`${counted(version.n_rejected, "row")} of ${count(version.n_rows + version.n_rejected)} could not be read`}
      action={
        <>
          <Button variant="default" onClick={() => discard.mutate()} loading={discard.isPending}>
            Cancel import
          </Button>{" "}
          <Button
            onClick={() => accept.mutate()}
            loading={accept.isPending}
            disabled={version.n_rows === 0}
          >
            Import {counted(version.n_rows, "row")}
          </Button>
        </>
      }
    >
      <a href={`/api/v1/dataset-versions/${version.id}/rejects.jsonl`} download>
        Download the rows with their reasons
      </a>
    </Notice>
  );
}

function Examples({ versionId }: { versionId: string }) {
  const [typed, setTyped] = useState("");
  const [text] = useDebouncedValue(typed.trim(), 300);
  const examples = useInfiniteQuery(examplesOptions(versionId, text));
  return (
    <Panel
      title="Questions"
      flush
      actions={
        <TextInput
          size="xs"
          aria-label="Search questions"
          placeholder="Search"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      }
    >
      {examples.isPending ? (
        <PanelSkeleton rows={8} />
      ) : examples.isError ? (
        <PanelError error={examples.error} onRetry={() => void examples.refetch()} />
      ) : (
        <DataTable
          label="Questions"
          columns={COLUMNS}
          rows={examples.data.pages.flatMap((page) => page.items)}
          rowId={(row) => String(row.id)}
          onEndReached={() => {
            if (examples.hasNextPage && !examples.isFetchingNextPage) void examples.fetchNextPage();
          }}
          fetchingMore={examples.isFetchingNextPage}
          empty={<EmptyState title="No question matches">Try another word.</EmptyState>}
        />
      )}
    </Panel>
  );
}
