import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { Link, useNavigate, useParams, useSearchParams } from "react-router";
import { paths } from "@/app/paths";
import { EmptyState } from "@/components/EmptyState";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Explorer } from "./Explorer";
import { experimentsOptions, setOptions, setsOptions } from "./queries";
import { SetViews } from "./SetFrame";
import { withValues } from "./selection";

function useChange() {
  const [query, setQuery] = useSearchParams();
  // Two filters pressed before the page is drawn again both count: the router knows the first one only then.
  const latest = useRef(query);
  useEffect(() => {
    latest.current = query;
  }, [query]);
  const change = (values: Record<string, string | null>) => {
    latest.current = withValues(latest.current, values);
    setQuery(latest.current, { replace: true });
  };
  return { query, change };
}

/** An experiment's COTs: its sets, the list at the left, the question at the right. */
export function CotsPage() {
  const { experimentId = "" } = useParams();
  const { query, change } = useChange();
  const navigate = useNavigate();
  const experiments = useQuery(experimentsOptions());
  const sets = useQuery(setsOptions(experimentId));
  const filled = (sets.data ?? []).filter((one) => (one.counts.all ?? 0) > 0);
  const set = filled.find((one) => one.run_id === query.get("set")) ?? filled[0];
  return (
    <>
      <PageHeader
        title="COTs"
        parent={{ label: "All candidate sets", to: paths.cots }}
        actions={
          <Select
            aria-label="Experiment"
            w={260}
            allowDeselect={false}
            value={experimentId}
            data={(experiments.data?.items ?? []).map((one) => ({
              value: one.id,
              label: one.name,
            }))}
            onChange={(value) => value !== null && navigate(paths.cotsOf(value))}
          />
        }
      />
      <SetViews current="" />
      {sets.isPending ? (
        <PanelSkeleton rows={10} />
      ) : sets.isError ? (
        <PanelError title="COTs" error={sets.error} onRetry={() => void sets.refetch()} />
      ) : set === undefined ? (
        <EmptyState title="No COTs yet">
          The experiment has not sampled any. They appear here once its first model is trained.
        </EmptyState>
      ) : (
        <Explorer
          key={set.run_id}
          set={set}
          sets={filled}
          experimentId={experimentId}
          query={query}
          change={change}
        />
      )}
    </>
  );
}

/** One candidate set, whatever experiment it belongs to. */
export function SetPage() {
  const { setId = "" } = useParams();
  const { query, change } = useChange();
  const set = useQuery(setOptions(setId));
  return (
    <>
      <PageHeader
        title={set.data?.name ?? "COTs"}
        parent={{ label: "All candidate sets", to: paths.cots }}
        facts={
          set.data !== undefined && (
            <Link to={paths.run(setId)}>
              {set.data.kind === "import-cots" ? "The import's run" : "The run that made it"}
            </Link>
          )
        }
      />
      <SetViews current="" />
      {set.isPending ? (
        <PanelSkeleton rows={10} />
      ) : set.isError ? (
        <PanelError title="COTs" error={set.error} onRetry={() => void set.refetch()} />
      ) : (
        <Explorer
          set={set.data}
          sets={[set.data]}
          experimentId={null}
          query={query}
          change={change}
        />
      )}
    </>
  );
}
