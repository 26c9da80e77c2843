import { count, dollars, fixed, NOT_MEASURED } from "@/components/format";
import { Notice } from "@/components/Notice";
import { Panel } from "@/components/Panel";
import classes from "./Judges.module.css";
import type { Tried, TriedItem } from "./queries";

/** What came back from a try: each raw reply beside what was read from it. */
export function TriedItems({ tried }: { tried: Tried }) {
  const unread = tried.items.filter((item) => item.rating === null).length;
  const { used } = tried;
  return (
    <Panel
      title="What came back"
      note={`${
        tried.items.length === 0
          ? "no reply"
          : `${count(tried.items.length - unread)} of ${count(tried.items.length)} rated`
      } · ${count(used.requests)} requests · ${
        used.usd === null ? `${count(used.completion_tokens)} tokens` : dollars(used.usd)
      } · nothing is stored`}
      flush
    >
      {tried.problem !== "" && (
        <div className={classes.ended}>
          <Notice level="error" title="It ended early">
            <p>{tried.problem}</p>
          </Notice>
        </div>
      )}
      <ul className={classes.tried}>
        {tried.items.map((item, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a list that is shown once and never reordered
          <Item key={index} item={item} />
        ))}
      </ul>
    </Panel>
  );
}

function Item({ item }: { item: TriedItem }) {
  return (
    <li>
      <p className={classes.question}>
        <bdi>{item.question}</bdi>
      </p>
      <div className={classes.columns}>
        <section aria-label="COT">
          <h3>
            COT <span className={classes.dim}>gold answer {item.answer}</span>
          </h3>
          <p className={classes.text}>
            {marked(item).map((piece) => (
              <span key={piece.start} data-wrong={piece.wrong}>
                {piece.text}
              </span>
            ))}
          </p>
        </section>
        <section aria-label="Raw replies">
          <h3>Raw {item.replies.length === 1 ? "reply" : "replies"}</h3>
          {item.replies.map((reply, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: replies have no identity
            <div key={index}>
              <p className={classes.text}>{reply.raw === "" ? "(nothing)" : reply.raw}</p>
              {reply.problem !== "" && (
                <p className={classes.problem} role="note">
                  Not read: {reply.problem}
                </p>
              )}
            </div>
          ))}
        </section>
        <section aria-label="Read from it">
          <h3>Read</h3>
          <dl className={classes.read}>
            <dt>Rating</dt>
            <dd>{item.rating === null ? NOT_MEASURED : fixed(item.rating, 1)}</dd>
            {item.expected !== null && (
              <>
                <dt>Oracle</dt>
                <dd>{fixed(item.expected, 0)}</dd>
              </>
            )}
            <dt>Wrong steps</dt>
            <dd>{count(item.wrong_steps.length)}</dd>
          </dl>
        </section>
      </div>
    </li>
  );
}

/** The COT in pieces, steps marked wrong apart. */
function marked(item: TriedItem): { start: number; text: string; wrong: boolean }[] {
  const pieces = [];
  let at = 0;
  for (const [start = 0, end = 0] of [...item.wrong_steps].sort(
    (a, b) => (a[0] ?? 0) - (b[0] ?? 0),
  )) {
    if (start < at) continue;
    if (start > at) pieces.push({ start: at, text: item.candidate.slice(at, start), wrong: false });
    pieces.push({ start, text: item.candidate.slice(start, end), wrong: true });
    at = end;
  }
  pieces.push({ start: at, text: item.candidate.slice(at), wrong: false });
  return pieces;
}
