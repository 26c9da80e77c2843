import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { percent } from "@/components/format";
import { notifyError } from "@/components/notify";
import { Verdict } from "@/components/Verdict";
import type { Mode } from "../queries";
import classes from "./Agreement.module.css";
import { type Typed, toDecide, valueWords } from "./decision";
import { type Disagreement, useDecide } from "./queries";

interface Props {
  queueId: string;
  mode: Mode;
  item: Disagreement;
  /** Raters' names by key. */
  names: ReadonlyMap<string, string>;
  /** Somebody is named at this browser. */
  canDecide: boolean;
}

const newSubmissionId = (): string => crypto.randomUUID().replaceAll("-", "");
const SHORT = 400;
const LETTERS = "ABCDEFGHIJKLMNOP";

/** An item on which raters differ: what each said of each COT, and a person's decision. */
export function DisagreementCard({ queueId, mode, item, names, canDecide }: Props) {
  const [typed, setTyped] = useState<Typed>({});
  const [note, setNote] = useState("");
  const [submissionId, setSubmissionId] = useState(newSubmissionId);
  const decide = useDecide(queueId, item.item_id);
  const wanted = toDecide(mode, item, typed, note, submissionId);
  const send = (body: Parameters<typeof decide.mutate>[0]) =>
    decide.mutate(body, {
      onSuccess: () => {
        setTyped({});
        setNote("");
        setSubmissionId(newSubmissionId());
      },
      onError: notifyError,
    });
  const decision = item.decision;
  return (
    <li className={classes.item}>
      <div className={classes.itemHead}>
        <p className={classes.question}>
          <bdi>{item.question}</bdi>
        </p>
        <span className={classes.gap} title="Largest distance between two values">
          apart by {percent(item.gap, 0)} of the scale
        </span>
      </div>
      <div className={classes.cots}>
        {item.cots.map((cot, index) => (
          <article
            key={cot.candidate_id}
            className={classes.cot}
            aria-label={`COT ${LETTERS[index]}`}
          >
            <header className={classes.cotHead}>
              <strong>{LETTERS[index]}</strong>
              <Verdict verdict={cot.verdict as "right"} />
            </header>
            {cot.text.length <= SHORT ? (
              <p className={classes.text}>{cot.text}</p>
            ) : (
              <details className={classes.long}>
                <summary>
                  <bdi>{cot.text.slice(0, SHORT)}</bdi>
                </summary>
                <p className={classes.text}>{cot.text}</p>
              </details>
            )}
            <dl className={classes.values}>
              {Object.entries(cot.values).map(([key, value]) => (
                <div key={key} data-machine={!key.startsWith("person:")}>
                  <dt>
                    <bdi>{names.get(key) ?? key}</bdi>
                  </dt>
                  <dd>{valueWords(mode, value, item.cots.length)}</dd>
                </div>
              ))}
              {decision?.values[cot.candidate_id] !== undefined && (
                <div data-decided="true">
                  <dt>decided</dt>
                  <dd>
                    {valueWords(mode, decision.values[cot.candidate_id] ?? 0, item.cots.length)}
                  </dd>
                </div>
              )}
            </dl>
            {canDecide && decision === null && (
              <Value
                mode={mode}
                label={`COT ${LETTERS[index]}`}
                most={item.cots.length}
                value={typed[cot.candidate_id] ?? ""}
                onChange={(value) => setTyped({ ...typed, [cot.candidate_id]: value })}
              />
            )}
          </article>
        ))}
      </div>
      {Object.entries(item.notes).map(([key, words]) => (
        <p key={key} className={classes.words}>
          <bdi>{names.get(key) ?? key}</bdi>: <bdi>{words}</bdi>
        </p>
      ))}
      {decision !== null ? (
        <div className={classes.decided}>
          <span>
            Decided by <bdi>{decision.by}</bdi>
            {decision.note !== "" && (
              <>
                : <bdi>{decision.note}</bdi>
              </>
            )}
          </span>
          {canDecide && (
            <Button
              size="compact-xs"
              variant="default"
              loading={decide.isPending}
              onClick={() => send({ undo: submissionId })}
            >
              Undo
            </Button>
          )}
        </div>
      ) : (
        canDecide && (
          <form
            className={classes.decide}
            onSubmit={(event) => {
              event.preventDefault();
              if (typeof wanted !== "string") send(wanted);
            }}
          >
            <TextInput
              size="xs"
              aria-label="Why"
              placeholder="Why (kept with the decision)"
              maxLength={4000}
              value={note}
              onChange={(event) => setNote(event.currentTarget.value)}
            />
            <Button
              type="submit"
              size="xs"
              variant="light"
              loading={decide.isPending}
              disabled={typeof wanted === "string"}
            >
              Decide
            </Button>
            {typeof wanted === "string" && wanted !== "" && (
              <span className={classes.dim}>{wanted}</span>
            )}
          </form>
        )
      )}
    </li>
  );
}

interface ValueProps {
  mode: Mode;
  label: string;
  most: number;
  value: string;
  onChange: (value: string) => void;
}

const VERIFY: [value: string, words: string][] = [
  ["1", "Right"],
  ["0", "Wrong"],
  ["0.5", "Unsure"],
];

function Value({ mode, label, most, value, onChange }: ValueProps) {
  if (mode === "verify")
    return (
      <fieldset className={classes.choices}>
        <legend className="visually-hidden">Decide {label}</legend>
        {VERIFY.map(([points, words]) => (
          <button
            key={points}
            type="button"
            className={classes.choice}
            aria-pressed={value === points}
            onClick={() => onChange(value === points ? "" : points)}
          >
            {words}
          </button>
        ))}
      </fieldset>
    );
  const places = mode !== "rate";
  return (
    <TextInput
      size="xs"
      w={120}
      label={places ? `Place of ${label}` : `Points for ${label}`}
      placeholder={places ? `1 to ${most}` : "1 to 10"}
      inputMode="decimal"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
