import { TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo } from "react";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { FilterChips } from "@/components/FilterChips";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import classes from "./CotsPage.module.css";
import {
  type CandidateSet,
  type QuestionRow,
  type QuestionsFilter,
  questionsOptions,
  type VerdictName,
} from "./queries";

const VERDICTS: VerdictName[] = ["right", "wrong", "unparsed", "truncated"];

const COLUMNS: ColumnDef<QuestionRow, unknown>[] = [
  {
    id: "question",
    header: "Question",
    size: 220,
    meta: { grow: true },
    cell: ({ row }) => <span className={classes.question}>{row.original.question}</span>,
  },
  {
    id: "right",
    header: "Right",
    size: 64,
    meta: { numeric: true },
    cell: ({ row }) => `${row.original.n_right}/${row.original.n_candidates}`,
  },
  {
    id: "violated",
    header: "Violated",
    size: 76,
    meta: { numeric: true },
    cell: ({ row }) =>
      row.original.n_violated === null ? (
        "–"
      ) : (
        <span data-violated={row.original.n_violated > 0} className={classes.violated}>
          {row.original.n_violated}
        </span>
      ),
  },
];

interface Props {
  set: CandidateSet;
  filter: QuestionsFilter;
  current: number | undefined;
  onFilter: (values: Record<string, string | null>) => void;
  onOpen: (exampleId: number) => void;
}

/** The questions of a candidate set that pass the filters. */
export function QuestionList({ set, filter, current, onFilter, onOpen }: Props) {
  const questions = useInfiniteQuery(questionsOptions(set.run_id, filter));
  const rows = useMemo(
    () => questions.data?.pages.flatMap((page) => page.items) ?? [],
    [questions.data],
  );
  const search = useDebouncedCallback((text: string) => onFilter({ q: text.trim() }), 300);
  return (
    <section className={classes.list} aria-label="Questions">
      <FilterChips
        label="Verdict"
        choices={VERDICTS.map((verdict) => ({
          value: verdict,
          label: verdict,
          count: set.counts[verdict] ?? 0,
        }))}
        value={filter.verdict ?? null}
        onChange={(value) => onFilter({ verdict: value })}
      />
      {filter.model !== undefined && (
        <FilterChips
          label="Pairs"
          choices={[{ value: "violated", label: "a wrong COT outscores a right one" }]}
          value={filter.violated ? "violated" : null}
          onChange={(value) => onFilter({ violated: value === null ? null : "1" })}
        />
      )}
      <TextInput
        aria-label="Search questions and COTs"
        placeholder="Search questions and COTs"
        defaultValue={filter.text ?? ""}
        onChange={(event) => search(event.currentTarget.value)}
      />
      {questions.isPending ? (
        <PanelSkeleton rows={10} />
      ) : questions.isError ? (
        <PanelError error={questions.error} onRetry={() => void questions.refetch()} />
      ) : (
        <DataTable
          label="Questions"
          dense
          columns={COLUMNS}
          rows={rows}
          rowId={(row) => String(row.example_id)}
          current={current === undefined ? undefined : String(current)}
          onOpen={(row) => onOpen(row.example_id)}
          maxHeight="calc(100vh - 330px)"
          onEndReached={() => {
            if (questions.hasNextPage && !questions.isFetchingNextPage)
              void questions.fetchNextPage();
          }}
          fetchingMore={questions.isFetchingNextPage}
          empty={
            <EmptyState title="No question passes the filters">
              Take a filter away, or choose another model.
            </EmptyState>
          }
        />
      )}
    </section>
  );
}
