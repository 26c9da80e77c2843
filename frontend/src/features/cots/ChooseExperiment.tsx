import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, Navigate } from "react-router";
import { paths } from "@/app/paths";
import { EmptyState } from "@/components/EmptyState";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { experimentsOptions } from "./queries";

/** Leads to the newest experiment's COTs; without one it says where COTs come from. */
export function ChooseExperiment() {
  const experiments = useQuery(experimentsOptions());
  if (experiments.isPending) return <PanelSkeleton rows={10} />;
  if (experiments.isError)
    return (
      <PanelError
        title="COTs"
        error={experiments.error}
        onRetry={() => void experiments.refetch()}
      />
    );
  const [newest] = experiments.data.items;
  if (newest !== undefined) return <Navigate to={paths.cotsOf(newest.id)} replace />;
  return (
    <>
      <PageHeader title="COTs" />
      <EmptyState
        title="No COTs yet"
        action={
          <Button component={Link} to={paths.newExperiment}>
            New experiment
          </Button>
        }
      >
        A COT is a chain of thought that a model wrote for a question. An experiment samples them,
        reads their answers and scores them; they are looked at here.
      </EmptyState>
    </>
  );
}
