import { difference, fixed, score } from "@/components/format";
import { Icon } from "@/components/Icon";
import { Verdict } from "@/components/Verdict";
import { letterOf } from "../assessment/pairs";
import { boundaries, isUnder, scoreAxis } from "./axis";
import classes from "./Beta.module.css";
import { type BetaCandidate, type BetaQuestion, CONSTRAINTS } from "./queries";

interface Props {
  question: BetaQuestion;
  /** The β under the hand: the boundary follows it before the server has answered. */
  beta: number;
}

/** A question's scores on a line with the boundary, and what each constraint does to every COT. */
export function Strip({ question, beta }: Props) {
  const { candidates } = question;
  const axis = scoreAxis(candidates, beta);
  const levels = boundaries(candidates, beta);
  const widest = Math.max(
    0.01,
    ...candidates.flatMap((one) =>
      CONSTRAINTS.map((name) => Math.abs(one.coefficients[name] ?? 0)),
    ),
  );
  const ordered = [...candidates].sort((a, b) => b.score - a.score);
  return (
    <div className={classes.strip}>
      <div className={classes.line} aria-hidden="true">
        {levels.map((level) => (
          <span
            key={level}
            className={classes.boundary}
            style={{ left: `${axis.at(level)}%` }}
            title={`boundary ${score(level)}`}
          >
            <span>s* − β</span>
          </span>
        ))}
        {candidates.map((one) => (
          <span
            key={one.candidate_id}
            className={classes.dot}
            data-verdict={one.verdict}
            data-under={isUnder(one, beta)}
            style={{ left: `${axis.at(one.score)}%` }}
            title={`${letterOf(one.place)} ${score(one.score)}`}
          >
            {letterOf(one.place)}
          </span>
        ))}
        <span className={classes.low}>{score(axis.low)}</span>
        <span className={classes.high}>{score(axis.high)}</span>
      </div>
      <section
        className={classes.scroll}
        aria-label="Scores and gradients of the COTs"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard
        tabIndex={0}
      >
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">COT</th>
              <th scope="col">s (nats/token)</th>
              <th scope="col">s − boundary</th>
              {CONSTRAINTS.map((name) => (
                <th key={name} scope="col">
                  dL/ds · {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {ordered.map((one) => (
              <Row key={one.candidate_id} one={one} beta={beta} widest={widest} />
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}

function Row({ one, beta, widest }: { one: BetaCandidate; beta: number; widest: number }) {
  const under = isUnder(one, beta);
  return (
    <tr data-under={under}>
      <th scope="row">
        {letterOf(one.place)} <Verdict verdict={one.verdict} compact />
      </th>
      <td>{score(one.score)}</td>
      <td>
        {one.lowest_better === null ? (
          "–"
        ) : (
          <>
            {under && <Icon name="arrow-down" size={11} label="under the boundary" />}{" "}
            {difference(one.score - (one.lowest_better - beta), 3)}
          </>
        )}
      </td>
      {CONSTRAINTS.map((name) => (
        <td key={name}>
          <Coefficient value={one.coefficients[name] ?? 0} widest={widest} />
        </td>
      ))}
    </tr>
  );
}

/** A coefficient as a bar from the middle: right pushes down, left pulls up. */
function Coefficient({ value, widest }: { value: number; widest: number }) {
  const share = (50 * Math.abs(value)) / widest;
  const side = Math.abs(value) < 5e-5 ? "none" : value > 0 ? "down" : "up";
  const word = { none: "no gradient", down: "pushed down", up: "pulled up" }[side];
  return (
    <span className={classes.coefficient} data-side={side} title={`${word}: ${fixed(value, 6)}`}>
      <span className={classes.bars}>
        <span className={classes.bar} style={{ width: `${share}%` }} />
      </span>
      <span className={classes.number}>
        {side !== "none" && (
          <Icon name={side === "down" ? "arrow-down" : "arrow-up"} size={10} label={word} />
        )}
        {fixed(value, 4)}
      </span>
    </span>
  );
}
