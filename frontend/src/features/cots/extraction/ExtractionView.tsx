import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { fullTime, shortTime } from "@/components/format";
import { Icon } from "@/components/Icon";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Verdict } from "@/components/Verdict";
import { type Extraction, extractionOptions } from "../inspecting";
import classes from "./Extraction.module.css";
import { LabelForm } from "./LabelForm";

type Attempt = Extraction["attempts"][number];

const OUTCOMES: Record<Attempt["outcome"], string> = {
  read: "read an answer",
  concluded: "states something that is no answer",
  nothing: "found nothing",
  skipped: "not meant as an answer",
};

/** How a COT's answer was read and why it counts so; a person's label beside the automatic one. */
export function ExtractionView({ candidateId }: { candidateId: number }) {
  const extraction = useQuery(extractionOptions(candidateId));
  if (extraction.isPending) return <PanelSkeleton rows={5} />;
  if (extraction.isError)
    return (
      <PanelError
        title="How it was read"
        error={extraction.error}
        onRetry={() => void extraction.refetch()}
      />
    );
  const data = extraction.data;
  const decided = data.attempts.findIndex((one) => one.decides);
  return (
    <section className={classes.view} aria-label="How the answer was read">
      <dl className={classes.facts}>
        <div>
          <dt>Read</dt>
          <dd className={classes.value}>{data.answer ?? "–"}</dd>
        </div>
        <div>
          <dt>Gold</dt>
          <dd className={classes.value}>{data.gold}</dd>
        </div>
        <div>
          <dt>Label as sampled</dt>
          <dd>
            <Verdict verdict={data.verdict} />
          </dd>
        </div>
        <div>
          <dt>By a person</dt>
          <dd>{data.label?.label ? <Verdict verdict={data.label.label} /> : "–"}</dd>
        </div>
        <div>
          <dt>Extractor</dt>
          <dd>
            {data.extractor_version}
            {data.extractor_version !== data.present_version && ` (now ${data.present_version})`}
          </dd>
        </div>
      </dl>
      {data.present_verdict !== data.verdict && (
        <p className={classes.differs}>
          <Icon name="alert" size={14} /> The present extractor would say{" "}
          <Verdict verdict={data.present_verdict} />. Re-grade the set to see every COT that flips.
        </p>
      )}
      <h4 className={classes.small}>Why</h4>
      <ol className={classes.steps}>
        {data.steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <h4 className={classes.small}>Rules tried, in their order</h4>
      {data.attempts.length === 0 && (
        <p className={classes.dim}>No rule had anything to look at.</p>
      )}
      <ol className={classes.attempts}>
        {data.attempts.map((attempt, index) => (
          <AttemptLine
            // biome-ignore lint/suspicious/noArrayIndexKey: attempts of one text in their order
            key={index}
            attempt={attempt}
            counts={decided < 0 || index <= decided}
          />
        ))}
      </ol>
      <h4 className={classes.small}>A person's label</h4>
      <p className={classes.dim}>
        Evaluation counts the label as sampled, always. Training counts a person's label only where
        an experiment says <code>labels: corrected</code>. Nothing is overwritten.
      </p>
      {data.is_truncated ? (
        <p className={classes.dim}>
          A COT that was cut at the length limit has no end and takes no other label.
        </p>
      ) : (
        <LabelForm extraction={data} />
      )}
      {data.history.length > 0 && (
        <ul className={classes.history}>
          {data.history.map((row) => (
            <li key={row.id}>
              {row.label === null ? "withdrawn" : <Verdict verdict={row.label} />} by {row.person},{" "}
              <time dateTime={row.created_at} title={fullTime(row.created_at)}>
                {shortTime(row.created_at)}
              </time>
              : <q>{row.reason}</q>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function AttemptLine({ attempt, counts }: { attempt: Attempt; counts: boolean }) {
  const { excerpt } = attempt;
  return (
    <li className={classes.attempt} data-decides={attempt.decides} data-counts={counts}>
      <span className={classes.rule}>
        <code>{attempt.rule}</code>
        <span className={classes.dim}>{attempt.rule_words}</span>
      </span>
      <span className={classes.excerpt}>
        {excerpt.before !== "" && <span className={classes.around}>…{excerpt.before}</span>}
        <mark>{excerpt.text === "" ? "∅" : excerpt.text}</mark>
        {excerpt.after !== "" && <span className={classes.around}>{excerpt.after}…</span>}
      </span>
      <span className={classes.outcome}>
        {attempt.decides && <Icon name="arrow-right" size={12} />}
        {attempt.answer === null ? (
          OUTCOMES[attempt.outcome]
        ) : (
          <>
            read <b>{attempt.answer}</b>
          </>
        )}
        {attempt.answer_span !== null && (
          <span className={classes.dim}>
            {" "}
            at {attempt.answer_span.start}–{attempt.answer_span.end}
          </span>
        )}
        {attempt.decides ? " · decides" : counts ? "" : " · does not count any more"}
      </span>
    </li>
  );
}

/** Opens and closes the view under a COT. */
export function ExtractionToggle({
  open,
  onToggle,
  letter,
}: {
  open: boolean;
  onToggle: () => void;
  letter: string;
}) {
  return (
    <Button
      variant="subtle"
      size="compact-xs"
      aria-expanded={open}
      aria-label={`How it was read: COT ${letter}`}
      onClick={onToggle}
      leftSection={<Icon name={open ? "chevron-up" : "chevron-down"} size={12} />}
    >
      How it was read
    </Button>
  );
}
