import { Button, Select } from "@mantine/core";
import { infiniteQueryOptions, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";
import { api, type Schema, unwrap } from "@/api/client";
import { EmptyState } from "@/components/EmptyState";
import { count, difference, percent, score } from "@/components/format";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Verdict } from "@/components/Verdict";
import { choicesOptions } from "../beta/queries";
import { NoScores } from "../NoScores";
import { ScoreUnder, ScoringRuns } from "../ScoreUnder";
import { SetFrame, useSetPlace } from "../SetFrame";
import { withValues } from "../selection";
import { letterOf } from "./pairs";
import classes from "./Violations.module.css";

type Row = Schema<"ViolationRow">;

const violationsOptions = (setId: string, model: string, against: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ["cots", setId, "violations", model, against],
    queryFn: async ({ pageParam }) =>
      unwrap(
        await api.GET("/api/v1/candidate-sets/{run_id}/violations", {
          params: {
            path: { run_id: setId },
            query: {
              model,
              limit: 25,
              ...(against !== undefined && { against }),
              ...(pageParam !== null && { after: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_after,
  });

/** Questions by how far a wrong COT is ahead of a right one. */
export function ViolationsPage() {
  return (
    <SetFrame title="Worst violations">{(setId) => <Worst key={setId} setId={setId} />}</SetFrame>
  );
}

function Worst({ setId }: { setId: string }) {
  const [query, setQuery] = useSearchParams();
  const choices = useQuery(choicesOptions(setId));
  const change = (values: Record<string, string | null>) =>
    setQuery((before) => withValues(before, values), { replace: true });
  if (choices.isPending) return <PanelSkeleton rows={10} />;
  if (choices.isError)
    return <PanelError error={choices.error} onRetry={() => void choices.refetch()} />;
  const { models } = choices.data;
  const model = models.find((one) => one.model_run_id === query.get("model")) ?? models[0];
  const against = models.find((one) => one.model_run_id === query.get("against"));
  if (model === undefined)
    return (
      <NoScores setId={setId}>
        Right and wrong COTs are compared by their scores under a model.
      </NoScores>
    );
  const data = models.map((one) => ({ value: one.model_run_id, label: one.model }));
  return (
    <>
      <div className={classes.choices}>
        <Select
          label="Under"
          size="xs"
          w={260}
          allowDeselect={false}
          data={data}
          value={model.model_run_id}
          onChange={(value) => change({ model: value })}
        />
        <Select
          label="Beside"
          size="xs"
          w={260}
          clearable
          placeholder="a second checkpoint"
          data={data.filter((one) => one.value !== model.model_run_id)}
          value={against?.model_run_id ?? null}
          onChange={(value) => change({ against: value })}
        />
        <ScoreUnder setId={setId} />
      </div>
      <ScoringRuns setId={setId} />
      <List
        setId={setId}
        model={model}
        against={against?.model_run_id === model.model_run_id ? undefined : against}
      />
    </>
  );
}

interface ListProps {
  setId: string;
  model: Schema<"ModelChoice">;
  against: Schema<"ModelChoice"> | undefined;
}

function List({ setId, model, against }: ListProps) {
  const { questionHref } = useSetPlace();
  const found = useInfiniteQuery(
    violationsOptions(setId, model.model_run_id, against?.model_run_id),
  );
  if (found.isPending) return <PanelSkeleton rows={12} />;
  if (found.isError) return <PanelError error={found.error} onRetry={() => void found.refetch()} />;
  const totals = found.data.pages[0];
  const rows = found.data.pages.flatMap((page) => page.items);
  return (
    <>
      {totals !== undefined && (
        <p className={classes.totals}>
          Under {model.model}, {count(totals.n_violated)} of {count(totals.n_pairs)} pairs are in
          the wrong order (
          {percent(totals.n_pairs === 0 ? null : totals.n_violated / totals.n_pairs)}), in{" "}
          {count(totals.n_questions_violated)} of {count(totals.n_questions)} questions that have a
          right and a wrong COT.
        </p>
      )}
      {rows.length === 0 ? (
        <EmptyState
          title={totals?.n_pairs === 0 ? "No question has a pair" : "No pair is violated"}
        >
          {totals?.n_pairs === 0
            ? "A pair is a right and a wrong COT of one question, and every question has only one kind under this model. More COTs of each question, or labels corrected by people, make pairs."
            : "Under this model every right COT is more likely than every wrong one of its question."}
        </EmptyState>
      ) : (
        <ol className={classes.list}>
          {rows.map((row) => (
            <Item
              key={row.example_id}
              row={row}
              against={against?.model}
              to={questionHref(setId, {
                question: String(row.example_id),
                model: model.model_run_id,
                look: "pairs",
                ...(against !== undefined && { against: against.model_run_id }),
              })}
            />
          ))}
        </ol>
      )}
      {found.hasNextPage && (
        <Button
          variant="default"
          size="xs"
          mt={12}
          loading={found.isFetchingNextPage}
          onClick={() => void found.fetchNextPage()}
        >
          More questions
        </Button>
      )}
    </>
  );
}

function Item({ row, against, to }: { row: Row; against: string | undefined; to: string }) {
  return (
    <li className={classes.item}>
      <div className={classes.head}>
        <span className={classes.margin}>{difference(row.margin, 3)}</span>
        <Link to={to} className={classes.question}>
          {row.question}
        </Link>
        <span className={classes.dim}>
          {row.n_violated} of {row.n_pairs} pairs
          {against !== undefined && (
            <>
              {" "}
              · under {against} <b>{difference(row.margin_against, 3)}</b>
            </>
          )}
        </span>
      </div>
      <div className={classes.pair}>
        {[row.wrong, row.right].map((cot) => (
          <div key={cot.candidate_id} className={classes.cot}>
            <p className={classes.about}>
              <strong>{letterOf(cot.place)}</strong> <Verdict verdict={cot.verdict} />
              <span className={classes.dim}>{score(cot.score)} nats/token</span>
            </p>
            <p className={classes.text}>{cot.text}</p>
          </div>
        ))}
      </div>
    </li>
  );
}
