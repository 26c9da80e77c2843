import { Button, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { MethodName } from "@/components/MethodMark";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Verdict, type VerdictName } from "@/components/Verdict";
import { cotsAt } from "./addresses";
import classes from "./CasePanel.module.css";
import type { CompareState } from "./compareState";
import { type CaseStudy, caseOptions } from "./queries";

interface Props {
  experimentId: string;
  state: CompareState;
  onChange: (change: Partial<CompareState>) => void;
}

const TITLE = "One question under every method";

/** The paper's case study (Table 12): answers side by side, first wrong step marked, repetition measured. */
export function CasePanel({ experimentId, state, onChange }: Props) {
  const found = useQuery(caseOptions(experimentId, state));
  if (found.isPending) return <PanelSkeleton title={TITLE} rows={6} />;
  if (found.isError)
    return <PanelError title={TITLE} error={found.error} onRetry={() => void found.refetch()} />;
  const data = found.data;
  return (
    <Panel
      title={TITLE}
      note={
        data.steps_checked
          ? "the first wrong step is marked"
          : "steps of this task cannot be checked"
      }
      actions={
        <>
          {data.seeds.length > 1 && (
            <Select
              aria-label="Seed"
              size="xs"
              w={104}
              allowDeselect={false}
              data={data.seeds.map((one) => ({ value: String(one), label: `seed ${one}` }))}
              value={String(data.seed)}
              onChange={(value) => onChange({ seed: Number(value), case: undefined })}
            />
          )}
          <Button
            size="xs"
            variant="default"
            disabled={data.next_example_id === null}
            onClick={() => onChange({ case: data.next_example_id ?? undefined })}
          >
            Another question
          </Button>
        </>
      }
    >
      <p className={classes.question}>{data.question}</p>
      <p className={classes.gold}>
        Reference: {data.reference} · gold answer <b>{data.gold}</b>
      </p>
      <ul className={classes.answers} aria-busy={found.isPlaceholderData}>
        {data.answers.map((answer) => (
          <li key={answer.method} className={classes.answer}>
            <div className={classes.head}>
              <MethodName
                label={answer.method}
                family={answer.family}
                constraint={answer.constraint}
              />
              <Verdict verdict={answer.verdict as VerdictName} />
            </div>
            <p className={classes.text}>
              <Marked answer={answer} />
            </p>
            <p className={classes.facts}>
              {repeats(answer.repetition)}; over all questions{" "}
              {share(data.repetition[answer.method])} ·{" "}
              <Link to={cotsAt(experimentId, state, answer.run_id, data.example_id)}>
                in the COTs
              </Link>
            </p>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

type Answer = CaseStudy["answers"][number];

function Marked({ answer }: { answer: Answer }) {
  const { text, wrong_start: start, wrong_end: end } = answer;
  if (text === "") return <em>An empty answer.</em>;
  if (typeof start !== "number" || typeof end !== "number") return text;
  return (
    <>
      {text.slice(0, start)}
      <mark className={classes.wrong} title="First wrong step">
        {text.slice(start, end)}
      </mark>
      {text.slice(end)}
    </>
  );
}

const share = (value: number | null | undefined): string =>
  typeof value === "number" ? `${(100 * value).toFixed(1)} %` : "–";

const repeats = (value: number | null | undefined): string =>
  typeof value === "number"
    ? `${share(value)} of its 4-grams repeat`
    : "too short to repeat itself";
