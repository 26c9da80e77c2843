import { Button } from "@mantine/core";
import { infiniteQueryOptions, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";
import { api, unwrap } from "@/api/client";
import { paths } from "@/app/paths";
import { EmptyState } from "@/components/EmptyState";
import { FilterChips } from "@/components/FilterChips";
import { count, counted, fullTime, shortTime } from "@/components/format";
import { Notice } from "@/components/Notice";
import { notifyError } from "@/components/notify";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Progress } from "@/components/Progress";
import { isActive, RunState } from "@/components/RunState";
import { Verdict, type VerdictName } from "@/components/Verdict";
import { type Labellings, labellingsOptions, type RegradeRow, useRegrade } from "../inspecting";
import { SetFrame, useSetPlace } from "../SetFrame";
import { withValues } from "../selection";
import classes from "./Labels.module.css";

type Regrade = Labellings["regrades"][number];

const VERDICTS: VerdictName[] = ["right", "wrong", "unparsed", "truncated"];

const changesOptions = (runId: string, flip: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ["cots", runId, "changes", flip],
    queryFn: async ({ pageParam }) =>
      unwrap(
        await api.GET("/api/v1/regrades/{run_id}/changes", {
          params: {
            path: { run_id: runId },
            query: { after: pageParam, limit: 50, ...(flip !== undefined && { flip }) },
          },
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => (page.next_after === null ? null : Number(page.next_after)),
  });

/** A set's labels: as sampled, by people, by later extractors; and what a re-grade flips. */
export function LabelsPage() {
  return <SetFrame title="Labels">{(setId) => <Labels key={setId} setId={setId} />}</SetFrame>;
}

function Labels({ setId }: { setId: string }) {
  const [query, setQuery] = useSearchParams();
  const labellings = useQuery(labellingsOptions(setId));
  const regrade = useRegrade(setId);
  if (labellings.isPending) return <PanelSkeleton title="Labels" rows={6} />;
  if (labellings.isError)
    return (
      <PanelError
        title="Labels"
        error={labellings.error}
        onRetry={() => void labellings.refetch()}
      />
    );
  const { counts, n_labelled, present_version, versions, regrades } = labellings.data;
  const chosen = regrades.find((one) => one.run_id === query.get("regrade")) ?? regrades[0];
  return (
    <div className={classes.page}>
      <Panel
        title="As sampled"
        note={`extractor ${versions.join(", ")}`}
        actions={
          <Button
            size="compact-sm"
            loading={regrade.isPending}
            onClick={() => regrade.mutate(undefined, { onError: notifyError })}
          >
            Re-grade with extractor {present_version}
          </Button>
        }
      >
        <p className={classes.counts}>
          {VERDICTS.map((verdict) => (
            <Verdict key={verdict} verdict={verdict} count={count(counts[verdict] ?? 0)} />
          ))}
          <span className={classes.dim}>
            {counted(n_labelled, "COT")} with a person's label beside it
          </span>
        </p>
        <p className={classes.dim}>
          Every answer is read anew by the present extractor, without sampling. The result is kept
          beside these labels and changes none of them, nor any rating. Evaluation counts the labels
          as sampled; training counts the newest re-grade and people's labels where an experiment
          says <code>labels: corrected</code>.
        </p>
      </Panel>
      {regrades.map((one) => (
        <RegradeLine
          key={one.run_id}
          regrade={one}
          chosen={one.run_id === chosen?.run_id}
          onChoose={() =>
            setQuery((before) => withValues(before, { regrade: one.run_id, flip: null }), {
              replace: true,
            })
          }
        />
      ))}
      {chosen !== undefined && chosen.n_changed !== null && (
        <Changes regrade={chosen} setId={setId} />
      )}
    </div>
  );
}

interface LineProps {
  regrade: Regrade;
  chosen: boolean;
  onChoose: () => void;
}

function RegradeLine({ regrade, chosen, onChoose }: LineProps) {
  if (regrade.state === "failed")
    return (
      <Notice
        level="error"
        title="A re-grade failed"
        action={<Link to={paths.run(regrade.run_id)}>Run</Link>}
      >
        <p>{regrade.problem}</p>
      </Notice>
    );
  if (isActive(regrade.state))
    return (
      <div className={classes.line} role="status">
        <RunState state={regrade.state} />
        <Progress
          label="Re-grading"
          done={regrade.progress.done}
          total={regrade.progress.total}
          phase={regrade.progress.phase || "waiting for a worker"}
        />
      </div>
    );
  const flipped = Object.values(regrade.flips).reduce((sum, n) => sum + n, 0);
  return (
    <button type="button" className={classes.line} aria-pressed={chosen} onClick={onChoose}>
      <strong>Extractor {regrade.extractor_version}</strong>
      <time dateTime={regrade.created_at} title={fullTime(regrade.created_at)}>
        {shortTime(regrade.created_at)}
      </time>
      <span>
        {count(flipped)} of {counted(regrade.n_candidates ?? 0, "label")} flip
      </span>
      <span className={classes.dim}>
        {counted(regrade.n_changed ?? 0, "COT")} read differently in answer, span or rule
      </span>
    </button>
  );
}

function Changes({ regrade, setId }: { regrade: Regrade; setId: string }) {
  const { questionHref } = useSetPlace();
  const [query, setQuery] = useSearchParams();
  const wanted = query.get("flip");
  const flip = wanted !== null && wanted in regrade.flips ? wanted : undefined;
  const changes = useInfiniteQuery(changesOptions(regrade.run_id, flip));
  const rows = changes.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Panel title="What it reads differently" flush>
      {Object.keys(regrade.flips).length > 0 && (
        <div className={classes.chips}>
          <FilterChips
            label="Flip"
            choices={Object.entries(regrade.flips).map(([value, n]) => ({
              value,
              label: value.replace(">", " → "),
              count: n,
            }))}
            value={flip ?? null}
            onChange={(value) =>
              setQuery((before) => withValues(before, { flip: value }), { replace: true })
            }
          />
        </div>
      )}
      {changes.isPending ? (
        <PanelSkeleton rows={6} />
      ) : changes.isError ? (
        <PanelError error={changes.error} onRetry={() => void changes.refetch()} />
      ) : rows.length === 0 ? (
        <EmptyState title="Nothing differs">
          Extractor {regrade.extractor_version} reads and grades every COT of this set as it was
          sampled.
        </EmptyState>
      ) : (
        <ul className={classes.changes}>
          {rows.map((row) => (
            <Change
              key={row.candidate_id}
              row={row}
              to={questionHref(setId, {
                question: String(row.example_id),
                read: String(row.candidate_id),
              })}
            />
          ))}
        </ul>
      )}
      {changes.hasNextPage && (
        <Button
          variant="subtle"
          size="xs"
          loading={changes.isFetchingNextPage}
          onClick={() => void changes.fetchNextPage()}
        >
          More
        </Button>
      )}
    </Panel>
  );
}

function Change({ row, to }: { row: RegradeRow; to: string }) {
  return (
    <li className={classes.change}>
      <span className={classes.flip}>
        <Verdict verdict={row.verdict_before} /> → <Verdict verdict={row.verdict} />
        {row.label !== null && (
          <span className={classes.dim}>
            a person says <Verdict verdict={row.label} />
          </span>
        )}
      </span>
      <Link to={to} className={classes.question}>
        {row.question}
      </Link>
      <span className={classes.answers}>
        gold <b>{row.gold}</b> · was <b>{row.answer_before ?? "–"}</b>{" "}
        <code>{row.rule_before}</code> · now <b>{row.answer ?? "–"}</b> <code>{row.rule}</code>
      </span>
      {row.excerpt !== null && (
        <span className={classes.excerpt}>
          …{row.excerpt.before}
          <mark>{row.excerpt.text}</mark>
          {row.excerpt.after}…
        </span>
      )}
    </li>
  );
}
