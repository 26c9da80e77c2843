import { Button, Checkbox, Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";
import { paths } from "@/app/paths";
import { EmptyState } from "@/components/EmptyState";
import { Figure } from "@/components/Figure";
import { count, counted, fixed, percent } from "@/components/format";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { NoScores } from "../NoScores";
import { ScoreUnder, ScoringRuns } from "../ScoreUnder";
import { SetFrame, useSetPlace } from "../SetFrame";
import { withValues } from "../selection";
import { DEFAULT_BETA, readBeta } from "./axis";
import classes from "./Beta.module.css";
import { BetaSlider } from "./BetaSlider";
import {
  type BetaAsked,
  type BetaOverview,
  betaFigureOptions,
  betaQuestionsOptions,
  choicesOptions,
  overviewOptions,
} from "./queries";
import { Strip } from "./Strip";

/** What a β would do to stored scores, before anything is trained. */
export function BetaPage() {
  return (
    <SetFrame title="β explorer">{(setId) => <Explorer key={setId} setId={setId} />}</SetFrame>
  );
}

function Explorer({ setId }: { setId: string }) {
  const { experimentId, questionHref } = useSetPlace();
  const [query, setQuery] = useSearchParams();
  const choices = useQuery(choicesOptions(setId));
  const change = (values: Record<string, string | null>) =>
    setQuery((before) => withValues(before, values), { replace: true });
  const beta = readBeta(query.get("beta")) ?? DEFAULT_BETA;
  const [settled] = useDebouncedValue(beta, 60);
  if (choices.isPending) return <PanelSkeleton title="β" rows={10} />;
  if (choices.isError)
    return <PanelError title="β" error={choices.error} onRetry={() => void choices.refetch()} />;
  const model =
    choices.data.models.find((one) => one.model_run_id === query.get("model")) ??
    choices.data.models[0];
  if (model === undefined)
    return <NoScores setId={setId}>The β explorer works on stored scores of the COTs.</NoScores>;
  const feedback =
    choices.data.feedback.find((one) => one.value === query.get("feedback")) ??
    choices.data.feedback[0];
  const asked: BetaAsked = {
    model: model.model_run_id,
    feedback: feedback?.value ?? "binary",
    beta: settled,
  };
  return (
    <>
      <div className={classes.choices}>
        <Select
          label="Scores under"
          size="xs"
          w={220}
          allowDeselect={false}
          data={choices.data.models.map((one) => ({ value: one.model_run_id, label: one.model }))}
          value={model.model_run_id}
          onChange={(value) => change({ model: value })}
        />
        <ScoreUnder setId={setId} />
        <Select
          label="Better and worse by"
          size="xs"
          w={150}
          allowDeselect={false}
          data={choices.data.feedback}
          value={asked.feedback}
          onChange={(value) => change({ feedback: value })}
        />
        <BetaSlider beta={beta} onChange={(value) => change({ beta: String(value) })} />
        <Button
          component={Link}
          size="xs"
          to={`${paths.newExperiment}?${new URLSearchParams({ ...(experimentId !== undefined && { from: experimentId }), beta: String(beta) })}`}
        >
          Use this β
        </Button>
      </div>
      <ScoringRuns setId={setId} />
      <Overview setId={setId} asked={asked} />
      <Questions setId={setId} asked={asked} beta={beta} questionHref={questionHref} />
    </>
  );
}

function Overview({ setId, asked }: { setId: string; asked: BetaAsked }) {
  const overview = useQuery(overviewOptions(setId, asked));
  const figure = useQuery(betaFigureOptions(setId, asked));
  const failed = [overview, figure].find((one) => one.isError);
  if (failed !== undefined)
    return (
      <PanelError title="Over the set" error={failed.error} onRetry={() => void failed.refetch()} />
    );
  if (overview.data === undefined || figure.data === undefined)
    return <PanelSkeleton title="Over the set" rows={8} />;
  const file = new URLSearchParams({
    model: asked.model,
    feedback: asked.feedback,
    beta: String(asked.beta),
  });
  return (
    <div className={classes.overview}>
      <Figure
        figure={figure.data}
        height={240}
        fileHref={`/api/v1/candidate-sets/${setId}/beta/figure/file?${file}`}
      />
      <Effects overview={overview.data} />
    </div>
  );
}

function Effects({ overview }: { overview: BetaOverview }) {
  return (
    <Panel title={`At β = ${fixed(overview.beta, 2)}`}>
      <table className={classes.effects}>
        <caption className="visually-hidden">What each constraint does to the worse COTs</caption>
        <thead>
          <tr>
            <th scope="col">Constraint</th>
            <th scope="col">pushed down</th>
            <th scope="col">pulled up</th>
            <th
              scope="col"
              title="Mean over questions with pairs of the summed dL/ds over worse COTs"
            >
              push ↓
            </th>
            <th scope="col">pull ↑</th>
          </tr>
        </thead>
        <tbody>
          {overview.effects.map((effect) => (
            <tr key={effect.constraint}>
              <th scope="row">AFT · {effect.constraint}</th>
              <td>{percent(effect.pushed_down)}</td>
              <td>{percent(effect.pulled_up)}</td>
              <td>{fixed(effect.push, 3)}</td>
              <td>{fixed(effect.pull, 3)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className={classes.dim}>
        {count(overview.n_under)} of {counted(overview.n_worse, "worse COT")} under the boundary, in{" "}
        {count(overview.n_with_pairs)} of {counted(overview.n_questions, "question")} with a pair.
        The median worse COT scores {fixed(overview.median_gap, 3)} nats/token against its lowest
        better one. Push and pull are dL/ds of worse COTs, summed in a question, mean over
        questions.
      </p>
    </Panel>
  );
}

interface QuestionsProps {
  setId: string;
  asked: BetaAsked;
  beta: number;
  questionHref: (setId: string, query: Record<string, string>) => string;
}

function Questions({ setId, asked, beta, questionHref }: QuestionsProps) {
  const [query, setQuery] = useSearchParams();
  const onlyUnder = query.get("under") === "1";
  const questions = useInfiniteQuery(betaQuestionsOptions(setId, asked, onlyUnder));
  const rows = questions.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section aria-label="Questions" className={classes.questions}>
      <Checkbox
        size="xs"
        label="only questions with a COT under its boundary"
        checked={onlyUnder}
        onChange={(event) => {
          const value = event.currentTarget.checked ? "1" : null;
          setQuery((before) => withValues(before, { under: value }), { replace: true });
        }}
      />
      {questions.isError ? (
        <PanelError error={questions.error} onRetry={() => void questions.refetch()} />
      ) : questions.isPending ? (
        <PanelSkeleton rows={10} />
      ) : rows.length === 0 ? (
        <EmptyState title={onlyUnder ? "No COT lies under its boundary" : "No question has a pair"}>
          {onlyUnder
            ? "At this β the boundary is below every worse COT: all of them are pushed down."
            : "Every question has only right or only wrong COTs under this model."}
        </EmptyState>
      ) : (
        <>
          {rows.map((row) => (
            <Panel
              key={row.example_id}
              title={
                <Link
                  className={classes.question}
                  to={questionHref(setId, {
                    question: String(row.example_id),
                    model: asked.model,
                    look: "beta",
                    beta: String(beta),
                  })}
                >
                  {row.question}
                </Link>
              }
              note={`${row.n_under} under`}
            >
              <Strip question={row} beta={beta} />
            </Panel>
          ))}
          {questions.hasNextPage && (
            <Button
              variant="default"
              size="xs"
              loading={questions.isFetchingNextPage}
              onClick={() => void questions.fetchNextPage()}
            >
              More questions
            </Button>
          )}
        </>
      )}
    </section>
  );
}
