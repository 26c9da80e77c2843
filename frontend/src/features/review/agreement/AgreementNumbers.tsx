import { count, fixed, NOT_MEASURED, percent } from "@/components/format";
import { Notice } from "@/components/Notice";
import { Panel } from "@/components/Panel";
import classes from "./Agreement.module.css";
import { IntervalMark } from "./IntervalMark";
import type { Agreement, Estimate } from "./queries";

/** How far all people agree: every coefficient with its interval and n. */
export function AgreementNumbers({ agreement }: { agreement: Agreement }) {
  const { level } = agreement;
  const rows: [name: string, estimate: Estimate, fits: boolean][] = [
    ["Krippendorff’s α, nominal", agreement.alpha_nominal, level === "nominal"],
    ["Krippendorff’s α, ordinal", agreement.alpha_ordinal, level === "ordinal"],
    ["Krippendorff’s α, interval", agreement.alpha_interval, level === "interval"],
    ["Fleiss’ κ", agreement.fleiss, false],
  ];
  return (
    <Panel
      title="People"
      note={`${count(agreement.n_judged_twice)} of ${count(agreement.n_cots)} COTs judged twice or more`}
    >
      {agreement.n_judged_twice === 0 ? (
        <Notice level="note">
          <p>
            Agreement needs COTs that two people have judged. Ask for two reviews of each item or
            more.
          </p>
        </Notice>
      ) : (
        <div className={classes.scroller}>
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">Coefficient</th>
                <th scope="col" className={classes.number}>
                  Value
                </th>
                <th scope="col">
                  <span className="visually-hidden">Picture</span>
                </th>
                <th scope="col" className={classes.number}>
                  95 % interval
                </th>
                <th scope="col" className={classes.number}>
                  n
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map(([name, estimate, fits]) => (
                <tr key={name} data-strong={fits}>
                  <th scope="row">
                    {name}
                    {fits && <small className={classes.range}>fits this mode</small>}
                  </th>
                  <td className={classes.number}>{fixed(estimate.value, 3)}</td>
                  <td>
                    <IntervalMark estimate={estimate} />
                  </td>
                  <td className={classes.number}>{intervalText(estimate)}</td>
                  <td className={classes.number}>{count(estimate.n)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {agreement.gold.length > 0 && <Gold agreement={agreement} />}
      <p className={classes.about}>
        Intervals are from resampled questions. α of 0.8 and more is usually taken as reliable,
        below 0.667 as too low for conclusions; 0 is what chance gives.
      </p>
    </Panel>
  );
}

function Gold({ agreement }: { agreement: Agreement }) {
  return (
    <div className={classes.scroller}>
      <table className={classes.table}>
        <caption>Gold items, judged as expected</caption>
        <thead>
          <tr>
            <th scope="col">Reviewer</th>
            <th scope="col" className={classes.number}>
              All
            </th>
            <th scope="col" className={classes.number}>
              First half
            </th>
            <th scope="col" className={classes.number}>
              Second half
            </th>
            <th scope="col" className={classes.number}>
              n
            </th>
          </tr>
        </thead>
        <tbody>
          {agreement.gold.map((one) => (
            <tr key={one.rater}>
              <th scope="row">
                <bdi>{one.name}</bdi>
              </th>
              <td className={classes.number}>{percent(one.agreed, 0)}</td>
              <td className={classes.number}>{percent(one.early, 0)}</td>
              <td className={classes.number}>{percent(one.late, 0)}</td>
              <td className={classes.number}>{count(one.n)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function intervalText({ low, high }: Estimate): string {
  if (low === null || high === null) return NOT_MEASURED;
  return `${fixed(low, 2)} to ${fixed(high, 2)}`;
}
