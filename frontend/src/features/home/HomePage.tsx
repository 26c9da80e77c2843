import { Button, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { activeRunsOptions, systemOptions } from "@/app/activeRuns";
import { paths } from "@/app/paths";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { ActiveRuns } from "./ActiveRuns";
import { FirstSteps } from "./FirstSteps";
import classes from "./HomePage.module.css";
import { LatestExperiments } from "./LatestExperiments";
import { MachinePanel } from "./MachinePanel";
import { Warnings } from "./Warnings";

/** The first time: three ways to begin. Later: what runs, what was found, what needs attention. */
export function HomePage() {
  const system = useQuery(systemOptions());
  const active = useQuery(activeRunsOptions());
  if (system.isPending)
    return (
      <>
        <PageHeader title="Home" />
        <div role="status" aria-label="Loading">
          <Skeleton height={280} radius="sm" />
        </div>
      </>
    );
  if (system.isError)
    return (
      <>
        <PageHeader title="Home" />
        <PanelError error={system.error} onRetry={() => void system.refetch()} />
      </>
    );
  const { counts, warnings } = system.data;
  if ((counts.experiments ?? 0) === 0)
    return (
      <>
        <PageHeader title="Home" />
        <Warnings warnings={warnings} />
        <FirstSteps />
      </>
    );
  return (
    <>
      <PageHeader
        title="Home"
        actions={
          <>
            <Button variant="default" component={Link} to={paths.howItWorks}>
              How it works
            </Button>
            <Button component={Link} to={paths.newExperiment}>
              New experiment
            </Button>
          </>
        }
      />
      <Warnings warnings={warnings} />
      <div className={classes.columns}>
        <div className={classes.column}>
          <LatestExperiments />
          <ActiveRuns runs={active.data ?? []} open={counts.active_runs ?? 0} />
        </div>
        <MachinePanel system={system.data} />
      </div>
    </>
  );
}
