import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearchParams } from "react-router";
import { paths } from "@/app/paths";
import { Alarms } from "@/components/Alarms";
import { BlockSelect } from "@/components/BlockSelect";
import { CopyText } from "@/components/CopyText";
import { Figure } from "@/components/Figure";
import { bytes, counted, duration } from "@/components/format";
import { Notice } from "@/components/Notice";
import { Time } from "@/components/Numbers";
import { PageHeader } from "@/components/PageHeader";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Progress } from "@/components/Progress";
import { RunState } from "@/components/RunState";
import { ofBlock } from "../graph/blocks";
import { PlanGraph } from "../graph/PlanGraph";
import { type Experiment, experimentOptions, type FigureName, figureOptions } from "../queries";
import { STATE_ICONS } from "../states";
import { CellGrid } from "./CellGrid";
import { ExperimentActions } from "./ExperimentActions";
import classes from "./ExperimentPage.module.css";

const FIGURES: { name: FigureName; title: string }[] = [
  { name: "task", title: "Task accuracy per method" },
  { name: "curves", title: "Validation task accuracy during training" },
];

/** One experiment: how far it is, its runs, what went wrong, first results. */
export function ExperimentPage() {
  const { experimentId = "" } = useParams();
  const experiment = useQuery({
    ...experimentOptions(experimentId),
    refetchInterval: (query) => (query.state.data?.state === "running" ? 5_000 : false),
  });
  if (experiment.isPending) return <PanelSkeleton rows={12} />;
  if (experiment.isError)
    return (
      <PanelError
        title="Experiment"
        error={experiment.error}
        onRetry={() => void experiment.refetch()}
      />
    );
  return <Loaded experiment={experiment.data} />;
}

function Loaded({ experiment }: { experiment: Experiment }) {
  const failed = experiment.cells.filter(
    (cell) => cell.error_title !== null && cell.state === "failed",
  );
  const [query, setQuery] = useSearchParams();
  const chosen = experiment.blocks.find((one) => one.key === query.get("block"));
  const block = (chosen ?? experiment.blocks[0])?.key ?? "";
  return (
    <>
      <PageHeader
        title={experiment.name}
        parent={{ label: "Experiments", to: paths.experiments }}
        beside={<RunState state={STATE_ICONS[experiment.state]} />}
        facts={
          <span className={classes.facts}>
            <span>{experiment.dataset_name}</span>
            <span>{experiment.base_model_name}</span>
            <span>{counted(experiment.seeds.length, "seed")}</span>
            <span>
              started <Time at={experiment.created_at} />
            </span>
            {experiment.priority !== "normal" && <span>{experiment.priority} priority</span>}
            <Used experiment={experiment} />
          </span>
        }
        actions={<ExperimentActions experiment={experiment} />}
      />
      <div className={classes.page}>
        <Progress
          label={`Progress of ${experiment.name}`}
          done={experiment.counts.succeeded}
          total={experiment.runs_total}
          etaSeconds={experiment.eta_seconds}
          phase={experiment.state === "running" ? "runs done" : experiment.state}
          still={experiment.state !== "running"}
        />
        {experiment.state === "paused" && (
          <Notice level="note">
            Paused: runs under way finish, and no new one starts until you resume it.
          </Notice>
        )}
        {failed.length > 0 && (
          <Notice level="error" title={`${counted(failed.length, "run")} failed`}>
            <ul className={classes.list}>
              {failed.map((cell) => (
                <li key={cell.cell}>
                  <Link to={paths.run(cell.run_id)}>{cell.name}</Link>: {cell.error_title}
                </li>
              ))}
            </ul>
          </Notice>
        )}
        {experiment.alarms.length > 0 && <Alarms alarms={experiment.alarms} hrefOf={paths.run} />}
        <div className={classes.block}>
          <BlockSelect
            blocks={experiment.blocks}
            value={block}
            onChange={(key) => setQuery({ block: key }, { replace: true })}
          />
        </div>
        <CellGrid experiment={experiment} block={block} />
        <Panel title="Runs" note={counted(experiment.runs_total, "run")}>
          <div className={classes.graph}>
            <PlanGraph
              label={`Runs of ${experiment.name}`}
              nodes={ofBlock(experiment.cells, block).map((cell) => ({
                ...cell,
                runId: cell.run_id,
              }))}
            />
          </div>
        </Panel>
        <Running experiment={experiment} />
        <div className={classes.figures}>
          {FIGURES.map((figure) => (
            <ExperimentFigure
              key={figure.name}
              experimentId={experiment.id}
              block={block}
              {...figure}
            />
          ))}
        </div>
        {experiment.warnings.map((warning) => (
          <Notice key={warning.message} level={warning.level} title={warning.message}>
            {warning.remedy}
          </Notice>
        ))}
        <Panel
          title="Configuration"
          actions={<CopyText text={experiment.yaml} shown="Copy the YAML" what="YAML" />}
        >
          <pre className={classes.yaml}>{experiment.yaml}</pre>
        </Panel>
      </div>
    </>
  );
}

/** Time and disk: used, and what was expected. */
function Used({ experiment }: { experiment: Experiment }) {
  const { usage } = experiment;
  const saved = usage.reused_seconds > 0 ? `, ${duration(usage.reused_seconds)} reused` : "";
  return (
    <>
      <span title="Computing, all runs one after the other">
        {duration(usage.used_seconds)} of about {duration(usage.estimate_seconds)} computed{saved}
      </span>
      <span title="Weights, checkpoints and files, without the database's rows">
        {bytes(usage.used_bytes)} of about {bytes(usage.estimate_bytes)} on disk
      </span>
    </>
  );
}

function Running({ experiment }: { experiment: Experiment }) {
  const held = experiment.cells.filter((cell) =>
    ["starting", "running", "cancelling"].includes(cell.state),
  );
  if (held.length === 0) return null;
  return (
    <Panel title="Now">
      <ul className={classes.list}>
        {held.map((cell) => (
          <li key={cell.cell} className={classes.held}>
            <RunState state={cell.state} />
            <Link to={paths.run(cell.run_id)}>{cell.name}</Link>
            <Progress
              label={cell.name}
              done={cell.progress.done}
              total={cell.progress.total}
              etaSeconds={cell.progress.eta_seconds}
              phase={cell.progress.phase}
            />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function ExperimentFigure({
  experimentId,
  block,
  name,
  title,
}: {
  experimentId: string;
  block: string;
  name: FigureName;
  title: string;
}) {
  const figure = useQuery(figureOptions(experimentId, name, block));
  if (figure.isPending) return <PanelSkeleton title={title} height={280} />;
  if (figure.isError)
    return <PanelError title={title} error={figure.error} onRetry={() => void figure.refetch()} />;
  return (
    <Figure
      figure={figure.data}
      height={280}
      fileHref={`/api/v1/experiments/${experimentId}/figures/${name}/file?block=${block}`}
    />
  );
}
