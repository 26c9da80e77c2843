import { useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { counted } from "@/components/format";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import type { Person, Queue } from "../queries";
import { ActionBar } from "./ActionBar";
import { CandidateCard } from "./CandidateCard";
import { GuidelinesDialog, NoteField, SkipDialog } from "./dialogs";
import { comparing, missing, moveInRanking, prefer, setValue, tie, toggleStep } from "./draft";
import { KeySheet } from "./KeySheet";
import { type Action, type KeyMap, loadKeys, meaningOf } from "./keys";
import { QuestionPane } from "./QuestionPane";
import { Ranking } from "./Ranking";
import classes from "./Session.module.css";
import { SessionBar } from "./SessionBar";
import { stepsOf } from "./steps";
import { useSession } from "./useSession";

type Open = "skip" | "keys" | "note" | "guidelines" | null;

const NOTHING_SHOWN = { diff: false, gold: false, tokens: false };

interface Cursor {
  itemId: number;
  label: string;
  /** Step of the focused COT; -1 before the first. */
  step: number;
}

/** The review session: the question, its COTs, a judgement by keys or clicks, the next item. */
export function Session({ queue, person }: { queue: Queue; person: Person }) {
  const session = useSession(queue, person);
  const [keys, setKeys] = useState<KeyMap>(loadKeys);
  const [open, setOpen] = useState<Open>(null);
  const [shows, setShows] = useState(NOTHING_SHOWN);
  const [said, say] = useState("");
  const [place, setPlace] = useState<Cursor | null>(null);
  const root = useRef<HTMLDivElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const { entry, trail } = session;
  const item = entry?.item;
  const labels = item?.candidates.map((one) => one.label) ?? [];
  const cursor: Cursor =
    place !== null && place.itemId === item?.id
      ? place
      : { itemId: item?.id ?? 0, label: firstLabel(entry), step: -1 };

  // A new item is read from its question on, also by a screen reader.
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs for each item
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    root.current?.querySelector(`.${classes.body}`)?.scrollTo(0, 0);
    setShows(NOTHING_SHOWN);
  }, [item?.id]);

  const focus = (label: string, isQuiet = false) => {
    setPlace({ itemId: item?.id ?? 0, label, step: -1 });
    const card = root.current?.querySelector(`[data-cot="${label}"]`);
    card?.scrollIntoView({ block: "nearest", inline: "center" });
    if (!isQuiet) say(`COT ${label}`);
  };
  const judge = (label: string, value: number, words: string) => {
    if (entry === undefined) return;
    const next = setValue(entry.draft, label, value);
    session.draft(next);
    const [left] = missing(entry.item, next);
    if (left !== undefined) focus(left, true);
    say(`COT ${label}: ${words}.${left === undefined ? " Enter submits." : ` Next: COT ${left}.`}`);
  };
  const submit = () => {
    if (entry === undefined) return;
    const lacking = missing(entry.item, entry.draft);
    if (lacking.length > 0) {
      say(lackingWords(entry.item.mode, lacking));
      if (!comparing(entry.item.mode) && lacking[0] !== undefined) focus(lacking[0], true);
      return;
    }
    session.submit();
    say("Submitted.");
  };
  const act = (action: Action) => {
    if (action === "keys") return setOpen(open === "keys" ? null : "keys");
    if (action === "full-screen") return void toggleFullScreen();
    if (action === "undo") return say(session.undo() ? "Taken back." : "Nothing to take back.");
    if (action === "previous" || action === "next")
      return void session.move(action === "next" ? 1 : -1);
    if (entry === undefined || item === undefined) return;
    const { draft } = entry;
    const steps = stepsOf(item.candidates.find((one) => one.label === cursor.label)?.text ?? "");
    switch (action) {
      case "submit":
        return submit();
      case "skip":
      case "note":
        return setOpen(action);
      case "flag":
        say(draft.isFlagged ? "Flag taken off." : "Flagged.");
        return session.draft({ ...draft, isFlagged: !draft.isFlagged });
      case "right":
        return judge(cursor.label, 1, "right");
      case "wrong":
        return judge(cursor.label, 0, "wrong");
      case "unsure":
        return judge(cursor.label, 0.5, "unsure");
      case "rank-up":
      case "rank-down": {
        const next = moveInRanking(draft, cursor.label, action === "rank-up" ? -1 : 1);
        say(`COT ${cursor.label} is number ${placeOf(next.tiers, cursor.label)}.`);
        return session.draft(next);
      }
      case "tie": {
        const next = tie(draft, cursor.label);
        say(`Ranking: ${next.tiers.map((tier) => tier.join(" equals ")).join(", then ")}.`);
        return session.draft(next);
      }
      case "prefer-left":
      case "prefer-right":
      case "prefer-none": {
        const winner = { "prefer-left": 0, "prefer-right": 1, "prefer-none": null }[action];
        const label = winner === null ? null : (labels[winner] ?? null);
        say(label === null ? "A tie. Enter submits." : `COT ${label} is better. Enter submits.`);
        return session.draft(prefer(draft, labels, label));
      }
      case "step-down":
      case "step-up": {
        const step = Math.max(
          0,
          Math.min(steps.length - 1, cursor.step + (action === "step-down" ? 1 : -1)),
        );
        setPlace({ ...cursor, step });
        return say(`Step ${step + 1}: ${steps[step]?.text.slice(0, 200) ?? ""}`);
      }
      case "step-wrong": {
        const step = steps[Math.max(0, cursor.step)];
        if (step === undefined) return;
        const next = toggleStep(draft, item.mode, cursor.label, [step.start, step.end]);
        const marked =
          (next.steps[cursor.label]?.length ?? 0) > (draft.steps[cursor.label]?.length ?? 0);
        say(`Step ${Math.max(0, cursor.step) + 1} ${marked ? "marked wrong" : "not wrong"}.`);
        return session.draft(next);
      }
      case "diff":
        if (item.reference === null) return say("This queue does not show the reference.");
        return setShows({ ...shows, diff: !shows.diff, tokens: false });
      case "tokens":
        if (item.candidates.every((one) => one.known === null))
          return say("This queue is blind: what models say of each token is not here.");
        return setShows({ ...shows, tokens: !shows.tokens, diff: false });
      case "gold":
        if (item.gold_answer === null)
          return say("This queue is blind: the gold answer is not here.");
        return setShows({ ...shows, gold: !shows.gold });
    }
  };

  const handle = useRef<(event: KeyboardEvent) => void>(() => undefined);
  handle.current = (event) => {
    if (event.defaultPrevented || open !== null || isTyping(event)) return;
    const meaning = meaningOf(event, keys, queue.mode, labels);
    if (meaning === null) return;
    event.preventDefault();
    if (event.repeat && meaning.kind === "action" && meaning.action === "submit") return;
    if (meaning.kind === "focus") focus(meaning.label);
    else if (meaning.kind === "rate") judge(cursor.label, meaning.value, `${meaning.value}`);
    else act(meaning.action);
  };
  useEffect(() => {
    const listen = (event: KeyboardEvent) => handle.current(event);
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);

  return (
    <div ref={root} className={classes.session}>
      <title>{`${queue.name} · Review · AFT Workbench`}</title>
      <SessionBar
        queue={queue}
        person={person}
        progress={trail.progress}
        pending={session.pending}
        onGuidelines={() => setOpen("guidelines")}
        onKeys={() => setOpen("keys")}
        onFullScreen={() => void toggleFullScreen()}
      />
      <div className="visually-hidden" role="status" aria-live="polite">
        {said}
      </div>
      {entry === undefined || item === undefined ? (
        <div className={classes.empty}>
          {session.problem !== null ? (
            <PanelError title="Next item" error={session.problem} onRetry={session.retry} />
          ) : trail.exhausted ? (
            <Finished queue={queue} done={trail.progress?.mine_done ?? 0} />
          ) : (
            <PanelSkeleton rows={8} />
          )}
        </div>
      ) : (
        <>
          <div className={classes.body} data-mode={item.mode} data-single={labels.length === 1}>
            <QuestionPane
              item={item}
              heading={heading}
              number={trail.at + 1}
              status={entry.status}
              showsGold={shows.gold}
            />
            <div className={classes.work}>
              {item.mode === "rank" && (
                <Ranking
                  draft={entry.draft}
                  focused={cursor.label}
                  onFocus={focus}
                  onChange={session.draft}
                />
              )}
              <div className={classes.cards} data-count={labels.length}>
                {item.candidates.map((candidate) => (
                  <CandidateCard
                    key={`${item.id} ${candidate.label}`}
                    candidate={candidate}
                    item={item}
                    draft={entry.draft}
                    focused={candidate.label === cursor.label && labels.length > 1}
                    step={candidate.label === cursor.label ? cursor.step : -1}
                    showsDiff={shows.diff}
                    showsTokens={shows.tokens}
                    onFocus={() => focus(candidate.label)}
                    onJudge={(value, words) => judge(candidate.label, value, words)}
                    onPrefer={(label) => session.draft(prefer(entry.draft, labels, label))}
                    onStep={(span) =>
                      session.draft(toggleStep(entry.draft, item.mode, candidate.label, span))
                    }
                  />
                ))}
              </div>
              {(open === "note" || entry.draft.note !== "") && (
                <NoteField
                  value={entry.draft.note}
                  focused={open === "note"}
                  onChange={(note) => session.draft({ ...entry.draft, note })}
                  onLeave={() => setOpen((before) => (before === "note" ? null : before))}
                />
              )}
            </div>
          </div>
          <ActionBar
            item={item}
            draft={entry.draft}
            keys={keys}
            hint={missing(item, entry.draft).length > 0 ? said : ""}
            onAction={act}
          />
        </>
      )}
      <SkipDialog
        opened={open === "skip"}
        onClose={() => setOpen(null)}
        onSkip={(reason) => {
          setOpen(null);
          session.skip(reason);
          say("Skipped.");
        }}
      />
      <KeySheet
        opened={open === "keys"}
        mode={queue.mode}
        keys={keys}
        onChange={setKeys}
        onClose={() => setOpen(null)}
      />
      <GuidelinesDialog
        opened={open === "guidelines"}
        queue={queue}
        onClose={() => setOpen(null)}
      />
    </div>
  );

  async function toggleFullScreen() {
    // Refused where the browser forbids it; the session fills the page anyway.
    if (document.fullscreenElement !== null) await document.exitFullscreen().catch(() => undefined);
    else await document.documentElement.requestFullscreen().catch(() => undefined);
  }
}

function Finished({ queue, done }: { queue: Queue; done: number }) {
  return (
    <div className={classes.finished}>
      <h1>Nothing left for you here</h1>
      <p>
        {done === 0
          ? "Every item has its reviews, or others hold the places that are left."
          : `You reviewed ${counted(done, "item")} of this queue. Items that others hold come back if they leave them.`}
      </p>
      <Link to={paths.reviewQueue(queue.id)}>See the queue</Link>
    </div>
  );
}

function firstLabel(entry: ReturnType<typeof useSession>["entry"]): string {
  if (entry === undefined) return "A";
  const [left] = comparing(entry.item.mode) ? [] : missing(entry.item, entry.draft);
  return left ?? entry.item.candidates[0]?.label ?? "A";
}

const placeOf = (tiers: string[][], label: string): number =>
  tiers.findIndex((tier) => tier.includes(label)) + 1;

function lackingWords(mode: Queue["mode"], lacking: string[]): string {
  if (mode === "pair") return "Say which one is better, or that it is a tie.";
  if (mode === "rank") return "The order shown is arbitrary: move or tie a COT first.";
  return lacking.length === 1
    ? `COT ${lacking[0]} is not judged yet.`
    : `COTs ${lacking.join(", ")} are not judged yet.`;
}

function isTyping(event: KeyboardEvent): boolean {
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (target === null) return false;
  if (target.closest("input, textarea, select, [contenteditable]") !== null) return true;
  // A control that has the focus keeps its own keys.
  const isControl = target.closest("button, a") !== null;
  return isControl && (event.key === "Enter" || event.key === " ");
}
