import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { Link, useParams, useSearchParams } from "react-router";
import { paths } from "@/app/paths";
import { counted, eta } from "@/components/format";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import classes from "./ComparePage.module.css";
import { ComparisonBody } from "./ComparisonBody";
import { ComparisonExports } from "./ComparisonExports";
import { type CompareState, readState, writeState } from "./compareState";
import { OverviewPanel } from "./OverviewPanel";
import { experimentOptions } from "./queries";

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
            <ComparisonExports experimentId={experimentId} state={state} />
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
        <ComparisonBody seeds={data?.seeds ?? []} blocks={data?.blocks ?? []} {...shared} />
      </div>
    </>
  );
}
