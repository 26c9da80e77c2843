import { Button, Menu } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { Link, useParams, useSearchParams } from "react-router";
import { download } from "@/api/download";
import { paths } from "@/app/paths";
import { counted, eta } from "@/components/format";
import { Notice } from "@/components/Notice";
import { notifyError } from "@/components/notify";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { CasePanel } from "./CasePanel";
import classes from "./ComparePage.module.css";
import { ComparisonPanel } from "./ComparisonPanel";
import { type CompareState, readState, serverOptions, writeState } from "./compareState";
import { FlipsPanel } from "./FlipsPanel";
import { MoreFigures } from "./MoreFigures";
import { OverviewPanel } from "./OverviewPanel";
import { comparisonOptions, experimentOptions } from "./queries";

/** Methods side by side: the table first, then the figures. The address holds everything that is shown. */
export function ComparePage() {
  const { experimentId = "" } = useParams();
  const [query, setQuery] = useSearchParams();
  // Chosen runs have a page of their own.
  const state = { ...readState(query), runs: [] };
  const onChange = useCallback(
    (change: Partial<CompareState>) =>
      setQuery((now) => writeState({ ...readState(now), ...change, runs: [] }), { replace: true }),
    [setQuery],
  );
  const experiment = useQuery(experimentOptions(experimentId));
  const comparison = useQuery(comparisonOptions(experimentId, state));
  if (experiment.isError)
    return (
      <PanelError
        title="Comparison"
        error={experiment.error}
        onRetry={() => void experiment.refetch()}
      />
    );
  const data = experiment.data;
  const shared = { experimentId, state, onChange };
  return (
    <>
      <PageHeader
        title={data === undefined ? "Comparison" : data.name}
        parent={{ label: "Compare", to: paths.compare }}
        facts={
          data !== undefined && (
            <span className={classes.facts}>
              <span>{counted(data.seeds.length, "seed")}</span>
              <span>{data.dataset_name}</span>
              <span>{data.base_model_name}</span>
            </span>
          )
        }
        actions={
          <>
            <Exports experimentId={experimentId} state={state} />
            <Button variant="default" component={Link} to={paths.cotsOf(experimentId)}>
              Look at the COTs
            </Button>
            <Button variant="default" component={Link} to={paths.experiment(experimentId)}>
              Experiment
            </Button>
          </>
        }
      />
      {data?.state === "running" && (
        <div className={classes.notice}>
          <Notice level="note">
            The experiment is running: {data.counts.succeeded} of {data.runs_total} runs are done
            {data.eta_seconds === null ? "" : `, ${eta(data.eta_seconds)} left`}. Numbers appear as
            they are measured.
          </Notice>
        </div>
      )}
      <div className={classes.page}>
        {data !== undefined && data.blocks.length > 1 && <OverviewPanel {...shared} />}
        <ComparisonPanel seeds={data?.seeds ?? []} blocks={data?.blocks ?? []} {...shared} />
        {comparison.data !== undefined && <FlipsPanel comparison={comparison.data} {...shared} />}
        <MoreFigures {...shared} />
        {(comparison.data?.rows.some((row) => (row.statistics.task_accuracy?.n ?? 0) > 0) ??
          false) && <CasePanel {...shared} />}
      </div>
    </>
  );
}

function Exports({ experimentId, state }: { experimentId: string; state: CompareState }) {
  const options = new URLSearchParams(
    Object.entries(serverOptions(state)).map(([name, value]) => [name, String(value)]),
  );
  const base = `/api/v1/experiments/${experimentId}`;
  const clipboard = useClipboard();
  const save = (path: string, name: string) =>
    download(`${base}/${path}?${options}`, name).catch(notifyError);
  return (
    <Menu position="bottom-end" width={264}>
      <Menu.Target>
        <Button variant="default">Export</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item closeMenuOnClick={false} onClick={() => clipboard.copy(window.location.href)}>
          {clipboard.copied ? "Copied" : "Copy the link to this view"}
        </Menu.Item>
        <Menu.Item onClick={() => void save("comparison.csv", "comparison.csv")}>
          Table, CSV
        </Menu.Item>
        <Menu.Item onClick={() => void save("comparison.tex", "comparison.tex")}>
          Table, LaTeX
        </Menu.Item>
        <Menu.Item onClick={() => void save("report.html", "report.html")}>
          Report, one HTML page
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>Everything, to be recomputed by aft verify</Menu.Label>
        {/* A link, so that the browser writes gigabytes to disk instead of holding them. */}
        <Menu.Item component="a" href={`${base}/bundle?${options}`} download>
          Reproduction bundle, zip
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
