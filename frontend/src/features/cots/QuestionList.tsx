import { useInfiniteQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { useEffect, useMemo } from "react";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { percent, score } from "@/components/format";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import classes from "./CotsPage.module.css";
import { type CandidateSet, type QuestionRow, questionsOptions } from "./queries";
import type { QuestionSort, Selection } from "./selection";

const QUESTION: ColumnDef<QuestionRow, unknown> = {
  id: "question",
  header: "Question",
  size: 160,
  meta: { grow: true },
  cell: ({ row }) => <span className={classes.question}>{row.original.question}</span>,
};
const RIGHT: ColumnDef<QuestionRow, unknown> = {
  id: "right",
  header: "Right",
  size: 76,
  meta: { numeric: true },
  cell: ({ row }) => `${row.original.n_right}/${row.original.n_candidates}`,
};
const VIOLATED: ColumnDef<QuestionRow, unknown> = {
  id: "violated",
  header: "Violated",
  size: 84,
  meta: { numeric: true },
  cell: ({ row }) =>
    row.original.n_violated === null ? (
      "–"
    ) : (
      <span data-violated={row.original.n_violated > 0} className={classes.violated}>
        {row.original.n_violated}
      </span>
    ),
};

const measured = (
  header: string,
  cell: (row: QuestionRow) => string,
): ColumnDef<QuestionRow, unknown> => ({
  id: header,
  header,
  size: 92,
  meta: { numeric: true },
  cell: ({ row }) => cell(row.original),
});
/** The column that an order is by, where the other columns do not show it. */
const BY_SORT: Partial<Record<QuestionSort, ColumnDef<QuestionRow, unknown>>> = {
  margin: measured("Margin", (row) => score(row.margin)),
  length: measured("Tokens", (row) => `${row.min_tokens}–${row.max_tokens}`),
  rating: measured("Rating", (row) => percent(row.rating, 0)),
  disagreement: measured("Spread", (row) => percent(row.rating_spread, 0)),
};

interface Props {
  set: CandidateSet;
  selection: Selection;
  current: number | undefined;
  onOpen: (exampleId: number) => void;
  /** Told which questions are listed, in order. */
  onRows: (exampleIds: number[]) => void;
}

/** The questions of a candidate set that pass the filters. */
export function QuestionList({ set, selection, current, onOpen, onRows }: Props) {
  const { filter, sort, descending } = selection;
  const questions = useInfiniteQuery(questionsOptions(set.run_id, { filter, sort, descending }));
  const rows = useMemo(
    () => questions.data?.pages.flatMap((page) => page.items) ?? [],
    [questions.data],
  );
  useEffect(() => onRows(rows.map((row) => row.example_id)), [rows, onRows]);
  const by = BY_SORT[sort as QuestionSort];
  const columns = [
    QUESTION,
    RIGHT,
    ...(filter.model !== undefined ? [VIOLATED] : []),
    ...(by !== undefined ? [by] : []),
  ];
  return (
    <section className={classes.list} aria-label="Questions">
      {questions.isPending ? (
        <PanelSkeleton rows={10} />
      ) : questions.isError ? (
        <PanelError error={questions.error} onRetry={() => void questions.refetch()} />
      ) : (
        <DataTable
          label="Questions"
          dense
          columns={columns}
          rows={rows}
          rowId={(row) => String(row.example_id)}
          sortedByServer
          current={current === undefined ? undefined : String(current)}
          onOpen={(row) => onOpen(row.example_id)}
          maxHeight="calc(100vh - 310px)"
          onEndReached={() => {
            if (questions.hasNextPage && !questions.isFetchingNextPage)
              void questions.fetchNextPage();
          }}
          fetchingMore={questions.isFetchingNextPage}
          empty={
            <EmptyState title="No question passes the filters">
              Take a filter away, or choose another model. An order by a measured value leaves out
              questions that have none.
            </EmptyState>
          }
        />
      )}
    </section>
  );
}
