import { Button, SegmentedControl, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { counted, difference, score } from "@/components/format";
import { Notice } from "@/components/Notice";
import { notifyError } from "@/components/notify";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Progress } from "@/components/Progress";
import { RunState } from "@/components/RunState";
import { Legend } from "@/components/tokens/Legend";
import { TokenNumbers, TokenText } from "@/components/tokens/TokenText";
import { Verdict } from "@/components/Verdict";
import { letterOf } from "../assessment/pairs";
import {
  checkpointsOptions,
  type QuestionTokens,
  type TokenLine,
  tokensOptions,
  useComputeTokens,
} from "../inspecting";
import classes from "./Tokens.module.css";

interface Props {
  setId: string;
  exampleId: number;
  model: string | undefined;
  against: string | undefined;
  onChange: (values: Record<string, string | null>) => void;
}

/** Log-probability of each token of the reference and the COTs, under one checkpoint or between two. */
export function Tokens({ setId, exampleId, model, against, onChange }: Props) {
  const [shows, setShows] = useState<"colours" | "numbers">("colours");
  const checkpoints = useQuery(checkpointsOptions(setId));
  const choices = (checkpoints.data ?? []).map((one) => ({
    value: one.model_run_id,
    label: one.model,
  }));
  const first = choices.find((one) => one.value === model) ?? choices[0];
  const second = choices.find((one) => one.value === against && one.value !== first?.value);
  const chosen = [first, second].filter((one) => one !== undefined);
  const tokens = useQuery(
    tokensOptions(
      setId,
      exampleId,
      chosen.map((one) => one.value),
    ),
  );
  if (checkpoints.isPending) return <PanelSkeleton title="Tokens" rows={8} />;
  if (checkpoints.isError)
    return (
      <PanelError
        title="Tokens"
        error={checkpoints.error}
        onRetry={() => void checkpoints.refetch()}
      />
    );
  if (first === undefined)
    return (
      <Panel title="Tokens">
        <p className={classes.dim}>
          No finished model is at hand. Token log-probabilities need a checkpoint; they can be
          computed once a training run has succeeded.
        </p>
      </Panel>
    );
  return (
    <>
      <div className={classes.choices}>
        <Select
          label="Under"
          size="xs"
          w={240}
          allowDeselect={false}
          data={choices}
          value={first.value}
          onChange={(value) => onChange({ model: value })}
        />
        <Select
          label="Difference to"
          size="xs"
          w={240}
          clearable
          placeholder="a second checkpoint"
          data={choices.filter((one) => one.value !== first.value)}
          value={second?.value ?? null}
          onChange={(value) => onChange({ against: value })}
        />
        <SegmentedControl
          size="xs"
          aria-label="Show tokens as"
          data={[
            { value: "colours", label: "Colours" },
            { value: "numbers", label: "Numbers" },
          ]}
          value={shows}
          onChange={(value) => setShows(value === "numbers" ? "numbers" : "colours")}
        />
      </div>
      {tokens.isError ? (
        <PanelError title="Tokens" error={tokens.error} onRetry={() => void tokens.refetch()} />
      ) : tokens.data === undefined ? (
        <PanelSkeleton title="Tokens" rows={8} />
      ) : (
        <>
          {chosen.map((one) => (
            <Missing key={one.value} of={one} {...{ setId, exampleId }} data={tokens.data} />
          ))}
          <Legend first={first.label} second={second?.label} />
          {tokens.data.lines.map((line, index) => (
            <Line
              key={line.candidate_id ?? "reference"}
              line={line}
              name={line.candidate_id === null ? "Reference" : letterOf(index - 1)}
              second={second !== undefined}
              numbers={shows === "numbers"}
            />
          ))}
        </>
      )}
    </>
  );
}

interface MissingProps {
  of: { value: string; label: string };
  setId: string;
  exampleId: number;
  data: QuestionTokens;
}

/** What is not computed under a model, with the button that computes it, or how far that is. */
function Missing({ of, setId, exampleId, data }: MissingProps) {
  const compute = useComputeTokens(setId, exampleId);
  const missing = data.lines.filter(
    (line) =>
      line.ends.length === 0 ||
      (line.models.find((one) => one.model_run_id === of.value)?.logprobs ?? null) === null,
  ).length;
  if (missing === 0) return null;
  const run = data.pending.find((one) => one.model_run_id === of.value);
  if (run !== undefined && run.state !== "failed" && run.state !== "cancelled")
    return (
      <div className={classes.waiting} role="status">
        <RunState state={run.state} />
        <Progress
          label={`Computing the tokens under ${of.label}`}
          done={run.progress.done}
          total={run.progress.total}
          phase={run.progress.phase || `waiting for a worker · ${of.label}`}
        />
        <Link to={paths.run(run.run_id)}>Run</Link>
      </div>
    );
  return (
    <Notice
      level={run?.state === "failed" ? "error" : "note"}
      title={
        run?.state === "failed"
          ? `The tokens under ${of.label} could not be computed: ${run.problem ?? "see the run's log"}`
          : `${counted(missing, "COT")} without token log-probabilities under ${of.label}`
      }
      action={
        run?.state === "failed" ? (
          <Button component={Link} size="xs" variant="default" to={paths.run(run.run_id)}>
            Open the run
          </Button>
        ) : (
          <Button
            size="xs"
            loading={compute.isPending}
            onClick={() => compute.mutate(of.value, { onError: notifyError })}
          >
            Compute tokens
          </Button>
        )
      }
    >
      {run?.state !== "failed" && (
        <p>Takes seconds on a CPU. Scores that are stored stay as they are.</p>
      )}
    </Notice>
  );
}

interface LineProps {
  line: TokenLine;
  name: string;
  second: boolean;
  numbers: boolean;
}

function Line({ line, name, second, numbers }: LineProps) {
  const [under, other] = line.models;
  const values = line.ends.length === 0 ? null : (under?.logprobs ?? null);
  const others = second ? (other?.logprobs ?? null) : undefined;
  return (
    <section className={classes.line} aria-label={name === "Reference" ? name : `COT ${name}`}>
      <header className={classes.head}>
        <strong>{name}</strong>
        {line.verdict !== null && <Verdict verdict={line.verdict} />}
        <span className={classes.numbers}>
          {score(under?.score)}
          {second && ` against ${score(other?.score)}`}
          {second &&
            typeof under?.score === "number" &&
            typeof other?.score === "number" &&
            ` = ${difference(under.score - other.score, 3)}`}{" "}
          nats/token
        </span>
        {line.n_tokens > 0 && (
          <span className={classes.numbers}>{counted(line.n_tokens, "token")}</span>
        )}
      </header>
      {values === null || others === null ? (
        <p className={classes.plain}>{line.text}</p>
      ) : numbers ? (
        <TokenNumbers
          name={name}
          text={line.text}
          ends={line.ends}
          first={values}
          second={others}
        />
      ) : (
        <TokenText text={line.text} ends={line.ends} first={values} second={others} />
      )}
    </section>
  );
}
