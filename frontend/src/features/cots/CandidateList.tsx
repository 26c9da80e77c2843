import { useInfiniteQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { useEffect, useMemo, useState } from "react";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { percent, score } from "@/components/format";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Verdict } from "@/components/Verdict";
import classes from "./CotsPage.module.css";
import { type CandidateRow, type CandidateSet, candidatesOptions } from "./queries";
import { SelectionBar } from "./SelectionBar";
import type { Selection } from "./selection";

const COT: ColumnDef<CandidateRow, unknown> = {
  id: "cot",
  header: "COT",
  size: 140,
  meta: { grow: true },
  cell: ({ row }) => (
    <span className={classes.question} title={row.original.question}>
      <Verdict verdict={row.original.verdict} compact /> {row.original.excerpt}
    </span>
  ),
};
const TOKENS: ColumnDef<CandidateRow, unknown> = {
  id: "tokens",
  header: "Tokens",
  size: 80,
  meta: { numeric: true },
  cell: ({ row }) => row.original.n_tokens,
};
const SCORE: ColumnDef<CandidateRow, unknown> = {
  id: "score",
  header: "Score",
  size: 88,
  meta: { numeric: true },
  cell: ({ row }) => score(row.original.score),
};
const RATING: ColumnDef<CandidateRow, unknown> = {
  id: "rating",
  header: "Rating",
  size: 80,
  meta: { numeric: true },
  cell: ({ row }) => percent(row.original.rating, 0),
};

interface Props {
  set: CandidateSet;
  selection: Selection;
  current: number | undefined;
  /** The COT that was opened. */
  cot: number | undefined;
  onOpen: (exampleId: number, candidateId: number) => void;
  onRows: (exampleIds: number[]) => void;
}

/** The COTs of a set that pass the filters, to look at and to select. */
export function CandidateList({ set, selection, current, cot, onOpen, onRows }: Props) {
  const { filter, sort, descending } = selection;
  const found = useInfiniteQuery(candidatesOptions(set.run_id, { filter, sort, descending }));
  const rows = useMemo(() => found.data?.pages.flatMap((page) => page.items) ?? [], [found.data]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => onRows(rows.map((row) => row.example_id)), [rows, onRows]);
  const columns = [
    COT,
    TOKENS,
    ...(filter.model !== undefined ? [SCORE] : []),
    ...((set.counts.rated ?? 0) > 0 ? [RATING] : []),
  ];
  const shown = rows.find((row) => row.id === cot && row.example_id === current);
  const first = rows.find((row) => row.example_id === current);
  return (
    <section className={classes.list} aria-label="COTs">
      <SelectionBar set={set} filter={filter} chosen={chosen} onChoose={setChosen} />
      {found.isPending ? (
        <PanelSkeleton rows={10} />
      ) : found.isError ? (
        <PanelError error={found.error} onRetry={() => void found.refetch()} />
      ) : (
        <DataTable
          label="COTs"
          dense
          columns={columns}
          rows={rows}
          rowId={(row) => String(row.id)}
          sortedByServer
          current={String((shown ?? first)?.id ?? "")}
          selected={chosen}
          onSelect={setChosen}
          onOpen={(row) => onOpen(row.example_id, row.id)}
          maxHeight="calc(100vh - 340px)"
          onEndReached={() => {
            if (found.hasNextPage && !found.isFetchingNextPage) void found.fetchNextPage();
          }}
          fetchingMore={found.isFetchingNextPage}
          empty={
            <EmptyState title="No COT passes the filters">
              Take a filter away, or choose another model. An order by a measured value leaves out
              COTs that have none.
            </EmptyState>
          }
        />
      )}
    </section>
  );
}
