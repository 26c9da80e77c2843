import { useQuery } from "@tanstack/react-query";
import { score } from "@/components/format";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Verdict } from "@/components/Verdict";
import classes from "./CotsPage.module.css";
import { pieces } from "./marking";
import { type Candidate, groupOptions, type QuestionGroup } from "./queries";

interface Props {
  setId: string;
  exampleId: number;
  /** Model whose scores decide which pairs are violated. */
  model: string | undefined;
}

/** A question, its reference and its COTs as cards. */
export function QuestionDetail({ setId, exampleId, model }: Props) {
  const group = useQuery(groupOptions(setId, exampleId));
  if (group.isPending) return <PanelSkeleton title="Question" rows={8} />;
  if (group.isError)
    return <PanelError title="Question" error={group.error} onRetry={() => void group.refetch()} />;
  const violated = group.data.violated_pairs.filter((pair) => pair.model_run_id === model);
  return (
    <>
      <Question group={group.data} />
      {violated.length > 0 && (
        <p className={classes.worst}>
          {violated.length} {violated.length === 1 ? "pair" : "pairs"} in which a wrong COT is at
          least as likely as a right one; the worst by {score(Math.abs(violated[0]?.margin ?? 0))}{" "}
          nats/token.
        </p>
      )}
      <div className={classes.cards}>
        {group.data.candidates.map((candidate, index) => (
          <Card
            key={candidate.id}
            candidate={candidate}
            letter={String.fromCharCode(65 + (index % 26))}
            outscored={violated.some((pair) => pair.right_id === candidate.id)}
            outscores={violated.some((pair) => pair.wrong_id === candidate.id)}
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

interface CardProps {
  candidate: Candidate;
  letter: string;
  outscored: boolean;
  outscores: boolean;
}

function Card({ candidate, letter, outscored, outscores }: CardProps) {
  return (
    <article
      className={classes.card}
      data-violated={outscored || outscores}
      aria-label={`COT ${letter}, ${candidate.verdict}`}
    >
      <header className={classes.head}>
        <strong>{letter}</strong>
        <Verdict verdict={candidate.verdict} />
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
    </article>
  );
}
