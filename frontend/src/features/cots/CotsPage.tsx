import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearchParams } from "react-router";
import { paths } from "@/app/paths";
import { EmptyState } from "@/components/EmptyState";
import { counted } from "@/components/format";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import classes from "./CotsPage.module.css";
import { QuestionDetail } from "./QuestionDetail";
import { QuestionList } from "./QuestionList";
import { type CandidateSet, experimentsOptions, setsOptions } from "./queries";
import { readSelection, withValues } from "./selection";

/** An experiment's COTs by question: the list at the left, the question at the right. */
export function CotsPage() {
  const { experimentId = "" } = useParams();
  const [query, setQuery] = useSearchParams();
  const navigate = useNavigate();
  const experiments = useQuery(experimentsOptions());
  const sets = useQuery(setsOptions(experimentId));
  const selection = readSelection(query);
  const change = (values: Record<string, string | null>) =>
    setQuery((before) => withValues(before, values), { replace: true });

  const filled = (sets.data ?? []).filter((one) => (one.counts.all ?? 0) > 0);
  const set = filled.find((one) => one.run_id === selection.set) ?? filled[0];
  return (
    <>
      <PageHeader
        title="COTs"
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
      {sets.isPending ? (
        <PanelSkeleton rows={10} />
      ) : sets.isError ? (
        <PanelError title="COTs" error={sets.error} onRetry={() => void sets.refetch()} />
      ) : set === undefined ? (
        <EmptyState title="No COTs yet">
          The experiment has not sampled any. They appear here once its first model is trained.
        </EmptyState>
      ) : (
        <Loaded sets={filled} set={set} query={query} change={change} />
      )}
    </>
  );
}

interface LoadedProps {
  sets: CandidateSet[];
  set: CandidateSet;
  query: URLSearchParams;
  change: (values: Record<string, string | null>) => void;
}

function Loaded({ sets, set, query, change }: LoadedProps) {
  const { filter, question } = readSelection(query);
  const model = set.models.some((one) => one.model_run_id === filter.model)
    ? filter.model
    : set.models[0]?.model_run_id;
  return (
    <>
      <div className={classes.choices}>
        <Select
          label="Sampled by"
          w={360}
          allowDeselect={false}
          value={set.run_id}
          data={sets.map((one) => ({ value: one.run_id, label: one.name }))}
          onChange={(value) => change({ set: value, question: null, model: null, violated: null })}
        />
        {set.models.length > 0 && (
          <Select
            label="Judged by the scores of"
            w={260}
            allowDeselect={false}
            value={model ?? null}
            data={set.models.map((one) => ({ value: one.model_run_id, label: one.model }))}
            onChange={(value) => change({ model: value })}
          />
        )}
        <span className={classes.total}>
          {counted(set.counts.all ?? 0, "COT")} of {counted(set.counts.questions ?? 0, "question")}
        </span>
      </div>
      <div className={classes.columns}>
        <QuestionList
          set={set}
          filter={{ ...filter, model }}
          current={question}
          onFilter={change}
          onOpen={(exampleId) => change({ question: String(exampleId) })}
        />
        <div className={classes.detail}>
          {question === undefined ? (
            <EmptyState title="Choose a question">
              Its COTs stand side by side here: the answer that was read, right or wrong and by
              which rule, and the score under each model.
            </EmptyState>
          ) : (
            <QuestionDetail setId={set.run_id} exampleId={question} model={model} />
          )}
        </div>
      </div>
    </>
  );
}
