import { DiffText } from "@/components/DiffText";
import { score } from "@/components/format";
import { Verdict } from "@/components/Verdict";
import type { Item, ItemCandidate } from "../queries";
import { CandidateTokens } from "./CandidateTokens";
import { type Draft, preferred } from "./draft";
import classes from "./Session.module.css";
import { stepsOf } from "./steps";

interface Props {
  candidate: ItemCandidate;
  item: Item;
  draft: Draft;
  /** Keys act on this one; unmarked where it is the only one. */
  focused: boolean;
  /** Step under the keys, -1 for none. */
  step: number;
  showsDiff: boolean;
  showsTokens: boolean;
  onFocus: () => void;
  onJudge: (value: number, words: string) => void;
  onPrefer: (label: string | null) => void;
  onStep: (span: [number, number]) => void;
}

/** One COT with its judgement. */
export function CandidateCard(props: Props) {
  const { candidate, item, draft, focused, step } = props;
  const { label } = candidate;
  const steps = stepsOf(candidate.text);
  const wrong = new Set((draft.steps[label] ?? []).map(([start]) => start));
  const against = props.showsDiff ? item.reference : null;
  const chosen = item.mode === "pair" ? preferred(draft) : undefined;
  return (
    <article
      className={classes.card}
      data-cot={label}
      data-focused={focused}
      data-chosen={chosen === label || chosen === null}
      aria-label={`COT ${label}`}
      aria-current={focused ? "true" : undefined}
    >
      <header className={classes.cardHead}>
        <button type="button" className={classes.letter} onClick={props.onFocus}>
          <span className="visually-hidden">COT </span>
          {label}
        </button>
        {candidate.known !== null && <Verdict verdict={candidate.known.verdict} />}
        {candidate.known !== null && (
          <span className={classes.dim} title={candidate.known.why}>
            {candidate.known.scores.map((one) => `${one.model} ${score(one.score)}`).join(" · ")}
          </span>
        )}
        <span className={classes.mark}>{markOf(item, draft, label)}</span>
      </header>
      {props.showsTokens && candidate.known !== null ? (
        <CandidateTokens known={candidate.known} text={candidate.text} />
      ) : against === null ? (
        <ol className={classes.steps}>
          {steps.map((one, index) => (
            <li
              key={one.start}
              className={classes.step}
              data-wrong={wrong.has(one.start)}
              data-current={index === step}
              ref={index === step ? intoView : undefined}
            >
              <button
                type="button"
                className={classes.stepNumber}
                aria-pressed={wrong.has(one.start)}
                aria-label={`Step ${index + 1} of COT ${label} is wrong`}
                onMouseDown={keepFocus}
                onClick={() => props.onStep([one.start, one.end])}
              >
                {index + 1}
              </button>
              <span className={classes.stepText}>{one.text}</span>
            </li>
          ))}
          {steps.length === 0 && <li className={classes.dim}>The model wrote nothing.</li>}
        </ol>
      ) : (
        <DiffText here={candidate.text} there={against} thereName="the reference" />
      )}
      {candidate.text_truncated && (
        <p className={classes.dim}>Only the first 20 000 characters are shown.</p>
      )}
      <Judgement {...props} chosen={chosen} />
    </article>
  );
}

function Judgement(props: Props & { chosen: string | null | undefined }) {
  const { candidate, item, draft, chosen } = props;
  const { label } = candidate;
  const value = draft.values[label];
  if (item.mode === "rank") return null;
  if (item.mode === "pair")
    return (
      <div className={classes.buttons}>
        <Choice
          name={`COT ${label} is better`}
          pressed={chosen === label}
          onClick={() => props.onPrefer(label)}
        >
          {label} is better
        </Choice>
        <Choice name="Tie" pressed={chosen === null} onClick={() => props.onPrefer(null)}>
          Tie
        </Choice>
      </div>
    );
  const choices: readonly (readonly [number, string])[] =
    item.mode === "verify"
      ? [
          [1, "Right"],
          [0, "Wrong"],
          [0.5, "Unsure"],
        ]
      : Array.from({ length: 10 }, (_, index) => [index + 1, `${index + 1}`] as const);
  return (
    <fieldset className={classes.buttons} data-mode={item.mode}>
      <legend className="visually-hidden">
        {item.mode === "verify" ? `Is COT ${label} right` : `Points for COT ${label}`}
      </legend>
      {choices.map(([points, words]) => (
        <Choice
          key={points}
          name={
            item.mode === "verify"
              ? `COT ${label} is ${words.toLowerCase()}`
              : `${words} points for COT ${label}`
          }
          pressed={value === points}
          tone={item.mode === "verify" ? words.toLowerCase() : undefined}
          onClick={() => props.onJudge(points, words.toLowerCase())}
        >
          {words}
        </Choice>
      ))}
    </fieldset>
  );
}

interface ChoiceProps {
  name: string;
  pressed: boolean;
  tone?: string | undefined;
  onClick: () => void;
  children: React.ReactNode;
}

function Choice({ name, pressed, tone, onClick, children }: ChoiceProps) {
  return (
    <button
      type="button"
      className={classes.choice}
      aria-label={name}
      aria-pressed={pressed}
      data-tone={tone}
      onMouseDown={keepFocus}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

// A click judges and leaves the focus alone, so that Enter still submits.
const keepFocus = (event: React.MouseEvent) => event.preventDefault();

const intoView = (element: HTMLElement | null) => element?.scrollIntoView({ block: "nearest" });

function markOf(item: Item, draft: Draft, label: string): string {
  if (item.mode === "rank") {
    const place = draft.tiers.findIndex((tier) => tier.includes(label));
    const tied = (draft.tiers[place]?.length ?? 0) > 1;
    return draft.ranked ? `${place + 1}${tied ? " =" : ""}` : "";
  }
  const value = draft.values[label];
  return item.mode === "rate" && value !== undefined ? `${value} / 10` : "";
}
