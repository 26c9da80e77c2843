import { Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { score } from "@/components/format";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Assessment } from "./assessment/Assessment";
import { letterOf } from "./assessment/pairs";
import { QuestionBeta } from "./beta/QuestionBeta";
import { CotCard } from "./CotCard";
import classes from "./CotsPage.module.css";
import { DiffView } from "./DiffView";
import { groupOptions, type QuestionGroup } from "./queries";
import { withValues } from "./selection";
import { Tokens } from "./tokens/Tokens";

interface Props {
  setId: string;
  exampleId: number;
  /** Model whose scores decide which pairs are violated. */
  model: string | undefined;
}

const LOOKS = [
  ["cots", "COTs"],
  ["pairs", "Pairs"],
  ["tokens", "Tokens"],
  ["diff", "Diff"],
  ["beta", "β"],
] as const;

/** A question and its COTs: as cards, in pairs, token by token, word by word, and under a β. */
export function QuestionDetail({ setId, exampleId, model }: Props) {
  const [query, setQuery] = useSearchParams();
  const group = useQuery(groupOptions(setId, exampleId));
  const change = (values: Record<string, string | null>) =>
    setQuery((before) => withValues(before, values), { replace: true });
  if (group.isPending) return <PanelSkeleton title="Question" rows={8} />;
  if (group.isError)
    return <PanelError title="Question" error={group.error} onRetry={() => void group.refetch()} />;
  const wanted = query.get("look");
  const look = LOOKS.find(([value]) => value === wanted)?.[0] ?? "cots";
  const against = query.get("against") ?? undefined;
  return (
    <>
      <Question group={group.data} />
      <Tabs
        value={look}
        keepMounted={false}
        onChange={(value) => change({ look: value === "cots" ? null : value })}
      >
        <Tabs.List aria-label="Ways to look at the question">
          {LOOKS.map(([value, label]) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="cots" className={classes.look}>
          <Cards group={group.data} model={model} />
        </Tabs.Panel>
        <Tabs.Panel value="pairs" className={classes.look}>
          <Assessment
            setId={setId}
            group={group.data}
            model={model}
            against={against}
            pair={query.get("pair") ?? undefined}
            onChange={change}
          />
        </Tabs.Panel>
        <Tabs.Panel value="tokens" className={classes.look}>
          <Tokens
            setId={setId}
            exampleId={exampleId}
            model={query.get("model") ?? model}
            against={against}
            onChange={change}
          />
        </Tabs.Panel>
        <Tabs.Panel value="diff" className={classes.look}>
          <DiffView
            group={group.data}
            one={query.get("one") ?? undefined}
            other={query.get("other") ?? undefined}
            onChange={change}
          />
        </Tabs.Panel>
        <Tabs.Panel value="beta" className={classes.look}>
          <QuestionBeta setId={setId} group={group.data} model={model} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function Cards({ group, model }: { group: QuestionGroup; model: string | undefined }) {
  const [query, setQuery] = useSearchParams();
  const read = query.get("read");
  const cot = query.get("cot");
  const put = (name: "read" | "cot", value: string | null) =>
    setQuery((before) => withValues(before, { [name]: value }), { replace: true });
  const violated = group.violated_pairs.filter((pair) => pair.model_run_id === model);
  return (
    <>
      {violated.length > 0 && (
        <p className={classes.worst}>
          {violated.length} {violated.length === 1 ? "pair" : "pairs"} in which a wrong COT is at
          least as likely as a right one; the worst by {score(Math.abs(violated[0]?.margin ?? 0))}{" "}
          nats/token.
        </p>
      )}
      <div className={classes.cards}>
        {group.candidates.map((candidate, index) => (
          <CotCard
            key={candidate.id}
            candidate={candidate}
            letter={letterOf(index)}
            outscored={violated.some((pair) => pair.right_id === candidate.id)}
            outscores={violated.some((pair) => pair.wrong_id === candidate.id)}
            opened={read === String(candidate.id)}
            current={cot === String(candidate.id)}
            onCurrent={() => put("cot", String(candidate.id))}
            onToggle={() =>
              put("read", read === String(candidate.id) ? null : String(candidate.id))
            }
          />
        ))}
      </div>
    </>
  );
}

function Question({ group }: { group: QuestionGroup }) {
  return (
    <Panel title="Question" note={group.external_id}>
      <p className={classes.text}>{group.question}</p>
      {group.choices !== null && (
        <ol type="A" className={classes.answers}>
          {group.choices.map((choice, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: choices can repeat and are never reordered
            <li key={index}>{choice}</li>
          ))}
        </ol>
      )}
      <h3 className={classes.small}>Reference</h3>
      <p className={classes.text}>{group.reference}</p>
      <p>
        Gold answer <span className={classes.answer}>{group.answer}</span>
      </p>
    </Panel>
  );
}
