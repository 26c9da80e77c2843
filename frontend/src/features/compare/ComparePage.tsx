import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "react-router";
import { paths } from "@/app/paths";
import { Figure, type FigurePoint } from "@/components/Figure";
import { counted, eta } from "@/components/format";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import classes from "./ComparePage.module.css";
import { ComparisonTable } from "./ComparisonTable";
import { comparisonOptions, experimentOptions, type FigureName, figureOptions } from "./queries";

const FIGURES: { name: FigureName; title: string }[] = [
  { name: "task", title: "Task accuracy per method" },
  { name: "assessment", title: "Assessment accuracy per method" },
  { name: "perplexity", title: "Perplexity of freshly sampled right COTs per method" },
  { name: "scatter", title: "Task accuracy against assessment accuracy" },
  { name: "curves", title: "Validation task accuracy during training" },
];

/** Methods side by side: the table first, then the figures. */
export function ComparePage() {
  const { experimentId = "" } = useParams();
  const experiment = useQuery(experimentOptions(experimentId));
  const comparison = useQuery(comparisonOptions(experimentId));
  if (experiment.isError)
    return (
      <PanelError
        title="Comparison"
        error={experiment.error}
        onRetry={() => void experiment.refetch()}
      />
    );
  const data = experiment.data;
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
            <Button
              variant="default"
              component="a"
              href={`/api/v1/experiments/${experimentId}/comparison.csv`}
              download
            >
              Export CSV
            </Button>
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
        {comparison.isPending ? (
          <PanelSkeleton title="Methods" rows={8} />
        ) : comparison.isError ? (
          <PanelError
            title="Methods"
            error={comparison.error}
            onRetry={() => void comparison.refetch()}
          />
        ) : (
          <Panel title="Methods" note={`baseline ${comparison.data.baseline ?? "none"}`} flush>
            <ComparisonTable comparison={comparison.data} />
            <ul className={classes.notes}>
              {comparison.data.notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          </Panel>
        )}
        <div className={classes.figures}>
          {FIGURES.map((figure) => (
            <ExperimentFigure key={figure.name} experimentId={experimentId} {...figure} />
          ))}
        </div>
      </div>
    </>
  );
}

function ExperimentFigure({
  experimentId,
  name,
  title,
}: {
  experimentId: string;
  name: FigureName;
  title: string;
}) {
  const navigate = useNavigate();
  const figure = useQuery(figureOptions(experimentId, name));
  if (figure.isPending) return <PanelSkeleton title={title} height={320} />;
  if (figure.isError)
    return <PanelError title={title} error={figure.error} onRetry={() => void figure.refetch()} />;
  const open = (point: FigurePoint) => {
    const method = typeof point.x === "string" ? point.x : point.name;
    navigate(
      `${paths.runs}?experiment=${experimentId}&kind=evaluate&q=${encodeURIComponent(method ?? "")}`,
    );
  };
  return (
    <Figure
      figure={figure.data}
      height={320}
      fileHref={`/api/v1/experiments/${experimentId}/figures/${name}/file`}
      onPoint={open}
    />
  );
}
