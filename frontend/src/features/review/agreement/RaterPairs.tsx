import { SegmentedControl } from "@mantine/core";
import { useState } from "react";
import { count, difference, fixed, percent } from "@/components/format";
import { Panel } from "@/components/Panel";
import classes from "./Agreement.module.css";
import { intervalText } from "./AgreementNumbers";
import type { Agreement, Estimate, PairKeys, RaterPair } from "./queries";

interface Props {
  agreement: Agreement;
  chosen: PairKeys | null;
  onChoose: (pair: PairKeys) => void;
}

type Statistic = "kappa" | "weighted_kappa" | "tau" | "alpha";

const STATISTICS: { value: Statistic; label: string; about: string }[] = [
  { value: "kappa", label: "κ", about: "Cohen’s κ" },
  { value: "weighted_kappa", label: "weighted κ", about: "Cohen’s κ by squared distance" },
  { value: "tau", label: "τ", about: "Kendall’s τ-b" },
  { value: "alpha", label: "α", about: "Krippendorff’s α of the two" },
];

/** Every two people as a matrix; a cell chooses the pair that is shown below. */
export function PeopleMatrix({ agreement, chosen, onChoose }: Props) {
  const [statistic, setStatistic] = useState<Statistic>(
    agreement.mode === "verify" || agreement.mode === "pair" ? "kappa" : "weighted_kappa",
  );
  const people = agreement.raters.filter((one) => one.source === "person");
  const found = new Map(
    agreement.pairs.flatMap((pair) => [
      [`${pair.one} ${pair.other}`, pair],
      [`${pair.other} ${pair.one}`, pair],
    ]),
  );
  const about = STATISTICS.find((one) => one.value === statistic)?.about ?? "";
  if (people.length < 2) return null;
  return (
    <Panel
      title="Every two people"
      note={about}
      actions={
        <SegmentedControl
          size="xs"
          aria-label="Coefficient"
          data={STATISTICS}
          value={statistic}
          onChange={(value) => setStatistic(value as Statistic)}
        />
      }
    >
      <div className={classes.scroller}>
        <table className={classes.matrix}>
          <thead>
            <tr>
              <td />
              {people.map((one) => (
                <th key={one.key} scope="col" className={classes.person}>
                  <bdi>{one.name}</bdi>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {people.map((row) => (
              <tr key={row.key}>
                <th scope="row">
                  <bdi>{row.name}</bdi> <span className={classes.dim}>{count(row.n)}</span>
                </th>
                {people.map((column) => {
                  const pair = found.get(`${row.key} ${column.key}`);
                  if (pair === undefined) return <td key={column.key} aria-hidden="true" />;
                  const estimate = pair[statistic];
                  return (
                    <td key={column.key} style={shade(estimate?.value ?? null)}>
                      <button
                        type="button"
                        className={classes.cell}
                        aria-pressed={isChosen(pair, chosen)}
                        title={describe(about, estimate, pair)}
                        onClick={() => onChoose({ one: pair.one, other: pair.other })}
                      >
                        <span className="visually-hidden">
                          {row.name} and {column.name}:{" "}
                        </span>
                        {fixed(estimate?.value, 2)}
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

/** Judges, rules and imports against people together. */
export function AgainstPeople({ agreement, chosen, onChoose }: Props) {
  const names = new Map(agreement.raters.map((one) => [one.key, one]));
  const anyExact = agreement.against_people.some((pair) => pair.exact !== null);
  if (agreement.against_people.length === 0) return null;
  return (
    <Panel title="Judges and rules against people" note="decisions, else the mean of the reviews">
      <div className={classes.scroller}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">Rater</th>
              {anyExact && (
                <>
                  <th scope="col" className={classes.number}>
                    Equal
                  </th>
                  <th scope="col" className={classes.number}>
                    κ
                  </th>
                </>
              )}
              <th scope="col" className={classes.number}>
                weighted κ
              </th>
              <th scope="col" className={classes.number}>
                Kendall’s τ
              </th>
              <th scope="col" className={classes.number}>
                α
              </th>
              <th scope="col" className={classes.number}>
                Bias
              </th>
              <th scope="col" className={classes.number}>
                n
              </th>
            </tr>
          </thead>
          <tbody>
            {agreement.against_people.map((pair) => (
              <tr key={pair.other} data-chosen={isChosen(pair, chosen)}>
                <th scope="row">
                  <button
                    type="button"
                    className={classes.link}
                    aria-pressed={isChosen(pair, chosen)}
                    onClick={() => onChoose({ one: pair.one, other: pair.other })}
                  >
                    <bdi>{names.get(pair.other)?.name ?? pair.other}</bdi>
                  </button>
                  <span className={classes.dim}> {names.get(pair.other)?.source}</span>
                </th>
                {anyExact && (
                  <>
                    <td className={classes.number}>{percent(pair.exact, 0)}</td>
                    <With estimate={pair.kappa} />
                  </>
                )}
                <With estimate={pair.weighted_kappa} />
                <With estimate={pair.tau} />
                <With estimate={pair.alpha} />
                <td className={classes.number}>{difference(pair.bias, 2)}</td>
                <td className={classes.number}>{count(pair.n)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function With({ estimate }: { estimate: Estimate | null }) {
  return (
    <td className={classes.number}>
      {fixed(estimate?.value, 2)}
      {estimate !== null && estimate.low !== null && (
        <small className={classes.range}>{intervalText(estimate)}</small>
      )}
    </td>
  );
}

const isChosen = (pair: RaterPair, chosen: PairKeys | null): boolean =>
  pair.one === chosen?.one && pair.other === chosen.other;

const describe = (about: string, estimate: Estimate | null, pair: RaterPair): string =>
  `${about} ${fixed(estimate?.value, 3)}, 95 % interval ${
    estimate === null ? "–" : intervalText(estimate)
  }, ${count(pair.n)} COTs`;

// From nothing at 0 and below to the accent at 1: weak enough that the number on it can be read in both themes.
const shade = (value: number | null) => ({
  background:
    value === null
      ? undefined
      : `color-mix(in srgb, var(--aft-accent) ${Math.round(Math.max(0, value) * 32)}%, transparent)`,
});
