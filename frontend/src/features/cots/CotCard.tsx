import { useEffect, useRef } from "react";
import { score } from "@/components/format";
import { Verdict } from "@/components/Verdict";
import classes from "./CotsPage.module.css";
import { ExtractionToggle, ExtractionView } from "./extraction/ExtractionView";
import { pieces } from "./marking";
import type { Candidate } from "./queries";

interface Props {
  candidate: Candidate;
  letter: string;
  outscored: boolean;
  outscores: boolean;
  /** Whether how its answer was read is shown. */
  opened: boolean;
  onToggle: () => void;
  /** Whether this is the COT that the address names. */
  current: boolean;
  onCurrent: () => void;
}

/** One COT: what it says, how it counts, its scores and ratings. */
export function CotCard({
  candidate,
  letter,
  outscored,
  outscores,
  opened,
  onToggle,
  current,
  onCurrent,
}: Props) {
  const card = useRef<HTMLElement>(null);
  useEffect(() => {
    if (current && card.current?.contains(document.activeElement) === false)
      card.current.scrollIntoView({ block: "nearest" });
  }, [current]);
  return (
    <article
      ref={card}
      className={classes.card}
      aria-current={current || undefined}
      onFocus={() => !current && onCurrent()}
      data-cot={letter}
      tabIndex={-1}
      data-violated={outscored || outscores}
      data-opened={opened}
      aria-label={`COT ${letter}, ${candidate.verdict}`}
    >
      <header className={classes.head}>
        <strong>{letter}</strong>
        <Verdict verdict={candidate.verdict} />
        {candidate.label !== null && (
          <span className={classes.byPerson} title={candidate.label.reason}>
            {candidate.label.person}: <Verdict verdict={candidate.label.label} />
          </span>
        )}
        {candidate.is_duplicate && <span className={classes.dim}>repeats an earlier one</span>}
        {candidate.is_reencoded && (
          <span
            className={classes.dim}
            title="The server gave no token ids: they were made from the text."
          >
            tokens from text
          </span>
        )}
        {outscored && <span className={classes.flag}>outscored by a wrong one</span>}
        {outscores && <span className={classes.flag}>outscores a right one</span>}
      </header>
      <p className={classes.text}>
        {pieces(candidate).map((piece, index) =>
          piece.kind === "plain" ? (
            piece.text
          ) : (
            <mark
              // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text in their order
              key={index}
              className={piece.kind === "answer" ? classes.answer : classes.step}
            >
              {piece.text}
            </mark>
          ),
        )}
      </p>
      {candidate.text_truncated && (
        <p>
          <a href={`/api/v1/candidates/${candidate.id}/text`} download>
            Download the whole text
          </a>
        </p>
      )}
      <p className={classes.dim}>{candidate.why}</p>
      {candidate.ratings.map((rating) => (
        <p key={rating.rater} className={classes.dim}>
          Rated {rating.value} by {rating.rater}
        </p>
      ))}
      {candidate.scores.length > 0 && (
        <table className={classes.scores}>
          <caption className="visually-hidden">Scores in nats a token</caption>
          <tbody>
            {candidate.scores.map((one) => (
              <tr key={one.model_run_id}>
                <th scope="row">{one.model}</th>
                <td>{score(one.score)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ExtractionToggle open={opened} onToggle={onToggle} letter={letter} />
      {opened && <ExtractionView candidateId={candidate.id} />}
    </article>
  );
}
