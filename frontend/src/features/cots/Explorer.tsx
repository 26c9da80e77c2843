import { SegmentedControl, Select } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { EmptyState } from "@/components/EmptyState";
import { counted } from "@/components/format";
import { CandidateList } from "./CandidateList";
import classes from "./CotsPage.module.css";
import { ExportMenu } from "./ExportMenu";
import { FilterBar } from "./filters/FilterBar";
import { KeySheet } from "./KeySheet";
import { QuestionDetail } from "./QuestionDetail";
import { QuestionList } from "./QuestionList";
import type { CandidateSet } from "./queries";
import { SavedViews } from "./SavedViews";
import { ScoreUnder, ScoringRuns } from "./ScoreUnder";
import { forSet, readSelection } from "./selection";
import { useExplorerKeys } from "./useExplorerKeys";

/** As in the style sheet. */
const ONE_COLUMN = "(max-width: 1000px)";

interface Props {
  set: CandidateSet;
  /** Sets to choose from. */
  sets: CandidateSet[];
  experimentId: string | null;
  query: URLSearchParams;
  change: (values: Record<string, string | null>) => void;
}

/** A candidate set: filters above, questions or COTs at the left, the question at the right. */
export function Explorer({ set, sets, experimentId, query, change }: Props) {
  const selection = forSet(readSelection(query), set);
  const { filter, view, question, cot } = selection;
  const detail = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // In one column the question lies under the list: a tap there must not seem to do nothing.
    if (question !== undefined && window.matchMedia(ONE_COLUMN).matches)
      detail.current?.scrollIntoView({ block: "start" });
  }, [question]);
  const [helping, setHelping] = useState(false);
  const open = (exampleId: number, candidateId?: number) =>
    change({
      question: String(exampleId),
      cot: candidateId === undefined ? null : String(candidateId),
      pair: null,
    });
  const keys = useExplorerKeys({ current: question, onOpen: open, onHelp: () => setHelping(true) });
  return (
    <>
      <div className={classes.choices}>
        {sets.length > 1 && (
          <Select
            label="Sampled by"
            w={300}
            allowDeselect={false}
            value={set.run_id}
            data={sets.map((one) => ({ value: one.run_id, label: one.name }))}
            onChange={(value) =>
              change({ set: value, question: null, cot: null, pair: null, model: null })
            }
          />
        )}
        {set.models.length > 0 && (
          <Select
            label="By the scores of"
            w={230}
            allowDeselect={false}
            value={filter.model ?? null}
            data={set.models.map((one) => ({ value: one.model_run_id, label: one.model }))}
            onChange={(value) => change({ model: value })}
          />
        )}
        <ScoreUnder setId={set.run_id} />
        <SegmentedControl
          aria-label="List"
          value={view}
          data={[
            { value: "questions", label: "Questions" },
            { value: "cots", label: "COTs" },
          ]}
          onChange={(value) =>
            change({ view: value === "cots" ? "cots" : null, sort: null, order: null })
          }
        />
        <span className={classes.total}>
          {counted(set.counts.all ?? 0, "COT")} of {counted(set.counts.questions ?? 0, "question")}
        </span>
        <span className={classes.menus}>
          <SavedViews experimentId={experimentId} query={query} change={change} />
          <ExportMenu set={set} filter={filter} />
        </span>
      </div>
      <ScoringRuns setId={set.run_id} />
      <FilterBar set={set} selection={selection} change={change} searchRef={keys.search} />
      <div className={classes.columns} ref={keys.columns}>
        {view === "cots" ? (
          <CandidateList
            set={set}
            selection={selection}
            current={question}
            cot={cot}
            onOpen={open}
            onRows={keys.onRows}
          />
        ) : (
          <QuestionList
            set={set}
            selection={selection}
            current={question}
            onOpen={open}
            onRows={keys.onRows}
          />
        )}
        <div ref={detail} className={classes.detail}>
          {question === undefined ? (
            <EmptyState title="Choose a question">
              Its COTs stand side by side here: the answer that was read, right or wrong and by
              which rule, and the score under each model. Press ? for the keys.
            </EmptyState>
          ) : (
            <QuestionDetail setId={set.run_id} exampleId={question} model={filter.model} />
          )}
        </div>
      </div>
      <KeySheet opened={helping} onClose={() => setHelping(false)} />
    </>
  );
}
