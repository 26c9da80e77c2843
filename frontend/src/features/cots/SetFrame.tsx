import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useNavigate, useParams, useSearchParams } from "react-router";
import { paths } from "@/app/paths";
import { EmptyState } from "@/components/EmptyState";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { experimentsOptions, setOptions, setsOptions } from "./queries";
import classes from "./SetFrame.module.css";
import { withValues } from "./selection";

export const SET_VIEWS = [
  { address: "", label: "Questions" },
  { address: "/violations", label: "Worst violations" },
  { address: "/beta", label: "β explorer" },
  { address: "/labels", label: "Labels" },
] as const;

/** Where the set's pages are: under the experiment that the address names, or under the set itself. */
export function useSetPlace() {
  const { experimentId, setId } = useParams();
  const base = setId === undefined ? paths.cotsOf(experimentId ?? "") : paths.cotSet(setId);
  /** The address of a question of a set, with more of the query. */
  const questionHref = (ofSet: string, query: Record<string, string>) =>
    setId === undefined
      ? paths.cotsOf(experimentId ?? "", { set: ofSet, ...query })
      : paths.cotSet(setId, query);
  return { base, experimentId, setId, questionHref };
}

/** Ways to look at a whole candidate set; the set and the model stay chosen. */
export function SetViews({ current }: { current: (typeof SET_VIEWS)[number]["address"] }) {
  const { base } = useSetPlace();
  const [query] = useSearchParams();
  const kept = new URLSearchParams();
  for (const name of ["set", "model", "against"]) {
    const value = query.get(name);
    if (value !== null) kept.set(name, value);
  }
  const search = kept.toString();
  return (
    <nav className={classes.views} aria-label="Ways to look at the COTs">
      {SET_VIEWS.map(({ address, label }) => (
        <Link
          key={address}
          to={`${base}${address}${search === "" ? "" : `?${search}`}`}
          aria-current={address === current ? "page" : undefined}
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}

interface Props {
  title: string;
  children: (setId: string) => ReactNode;
}

/** A page about one candidate set: the one that the address names, or one of an experiment's. */
export function SetFrame(props: Props) {
  const { setId } = useParams();
  return setId === undefined ? <OfExperiment {...props} /> : <OfSet {...props} setId={setId} />;
}

const addressOf = (title: string) => SET_VIEWS.find((one) => one.label === title)?.address ?? "";

function OfSet({ title, children, setId }: Props & { setId: string }) {
  const set = useQuery(setOptions(setId));
  return (
    <>
      <PageHeader
        title={title}
        parent={{ label: "All candidate sets", to: paths.cots }}
        facts={set.data !== undefined && <Link to={paths.cotSet(setId)}>{set.data.name}</Link>}
      />
      <SetViews current={addressOf(title)} />
      {set.isPending ? (
        <PanelSkeleton rows={10} />
      ) : set.isError ? (
        <PanelError title={title} error={set.error} onRetry={() => void set.refetch()} />
      ) : (
        children(setId)
      )}
    </>
  );
}

function OfExperiment({ title, children }: Props) {
  const { experimentId = "" } = useParams();
  const [query, setQuery] = useSearchParams();
  const navigate = useNavigate();
  const experiments = useQuery(experimentsOptions());
  const sets = useQuery(setsOptions(experimentId));
  const filled = (sets.data ?? []).filter((one) => (one.counts.all ?? 0) > 0);
  const wanted = query.get("set");
  const set =
    filled.find((one) => one.run_id === wanted) ??
    filled.find((one) => one.models.length > 0) ??
    filled[0];
  const current = addressOf(title);
  return (
    <>
      <PageHeader
        title={title}
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
            onChange={(value) => value !== null && navigate(`${paths.cotsOf(value)}${current}`)}
          />
        }
      />
      <SetViews current={current} />
      {sets.isPending ? (
        <PanelSkeleton rows={10} />
      ) : sets.isError ? (
        <PanelError title={title} error={sets.error} onRetry={() => void sets.refetch()} />
      ) : set === undefined ? (
        <EmptyState title="No COTs yet">
          The experiment has not sampled any. They appear here once its first model is trained.
        </EmptyState>
      ) : (
        <>
          <Select
            label="Sampled by"
            size="xs"
            maw={360}
            mb={12}
            allowDeselect={false}
            value={set.run_id}
            data={filled.map((one) => ({ value: one.run_id, label: one.name }))}
            onChange={(value) =>
              setQuery((before) => withValues(before, { set: value }), { replace: true })
            }
          />
          {children(set.run_id)}
        </>
      )}
    </>
  );
}
