import { Button, TagsInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { paths } from "@/app/paths";
import { DataTable } from "@/components/DataTable";
import { eta } from "@/components/format";
import { NumberCell } from "@/components/Numbers";
import { PageHeader } from "@/components/PageHeader";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { RunState } from "@/components/RunState";
import { Counts } from "../Counts";
import { STATE_ICONS } from "../states";
import classes from "./PaperPage.module.css";
import { type Reproduced, reportHref, reproductionOptions, useStartReproduction } from "./queries";
import { readSeeds, seedsIn } from "./seeds";

const COLUMNS: ColumnDef<Reproduced, unknown>[] = [
  {
    id: "title",
    header: "Table or figure",
    size: 240,
    meta: { grow: true },
    cell: ({ row: { original } }) =>
      original.experiment === null ? (
        <span title={original.paper}>{original.title}</span>
      ) : (
        <Link to={paths.comparison(original.experiment.id)} title={original.paper}>
          {original.title}
        </Link>
      ),
  },
  {
    id: "state",
    header: "State",
    size: 112,
    cell: ({ row: { original } }) =>
      original.experiment === null ? (
        "not started"
      ) : (
        <RunState state={STATE_ICONS[original.experiment.state]} />
      ),
  },
  {
    id: "runs",
    header: "Runs",
    size: 176,
    meta: { drop: 1 },
    cell: ({ row: { original } }) =>
      original.experiment !== null && <Counts row={original.experiment} />,
  },
  {
    id: "eta",
    header: "ETA",
    size: 92,
    meta: { numeric: true, drop: 2 },
    cell: ({ row: { original } }) =>
      original.experiment?.state === "running" && (
        <NumberCell>{eta(original.experiment.eta_seconds)}</NumberCell>
      ),
  },
];

/** Every table and figure of the paper on the built-in model and task, started together. */
export function PaperPage() {
  const [query, setQuery] = useSearchParams();
  const seeds = seedsIn(query);
  const [typed, setTyped] = useState(seeds.map(String));
  const { seeds: wanted, problem } = readSeeds(typed);
  const found = useQuery(reproductionOptions(seeds));
  const start = useStartReproduction(seeds);
  const type = (values: string[]) => {
    setTyped(values);
    const read = readSeeds(values);
    if (read.problem === null) setQuery({ seeds: read.seeds.join(",") }, { replace: true });
  };
  const items = found.data?.items ?? [];
  const missing = items.filter((item) => item.experiment === null).length;
  const unfinished = items.some(
    ({ experiment }) =>
      experiment !== null && experiment.counts.failed + experiment.counts.cancelled > 0,
  );
  const isStale = problem !== null || wanted.join() !== found.data?.seeds.join();
  return (
    <>
      <PageHeader
        title="The paper in miniature"
        parent={{ label: "Experiments", to: paths.experiments }}
        facts="Its tables and figures on the built-in models and task, beside the published values"
        actions={
          <>
            {missing < items.length && (
              <Button variant="default" component="a" href={reportHref(seeds)} download>
                Download report
              </Button>
            )}
            {unfinished && (
              <Button
                variant="default"
                loading={start.isPending}
                onClick={() => start.mutate(true)}
              >
                Retry failed and cancelled runs
              </Button>
            )}
            {missing > 0 && (
              <Button
                loading={start.isPending}
                disabled={isStale}
                onClick={() => start.mutate(false)}
              >
                {missing === items.length ? "Start all" : `Start the other ${missing}`}
              </Button>
            )}
          </>
        }
      />
      <div className={classes.page}>
        <Panel title="Seeds">
          <div className={classes.choice}>
            <TagsInput
              className={classes.seeds}
              aria-label="Seeds"
              value={typed}
              error={problem}
              onChange={type}
            />
            <p className={classes.about}>
              {found.data && `${capital(found.data.about)}. `}
              They run in this order; stages that they share run once, and finished runs are taken
              over. Everything was tuned on seed 0, which is never reported.
            </p>
          </div>
        </Panel>
        {found.isPending ? (
          <PanelSkeleton rows={13} />
        ) : found.isError ? (
          <PanelError
            title="The paper in miniature"
            error={found.error}
            onRetry={() => void found.refetch()}
          />
        ) : (
          <DataTable
            label="The paper's tables and figures"
            columns={COLUMNS}
            rows={items}
            rowId={(row) => row.name}
          />
        )}
      </div>
    </>
  );
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
