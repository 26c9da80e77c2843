import { LOWEST, WIDEST } from "./heat";
import classes from "./TokenText.module.css";

/** What the colours mean; always there. */
export function Legend({ first, second }: { first: string; second: string | undefined }) {
  if (second === undefined)
    return (
      <p className={classes.legend}>
        <span>−{Math.abs(LOWEST)} unlikely</span>
        <span className={classes.ramp} data-scale="heat" />
        <span>0 certain</span>
        <span className={classes.dim}>log-probability of each token under {first}, nats</span>
      </p>
    );
  return (
    <p className={classes.legend}>
      <span>−{WIDEST} less likely</span>
      <span className={classes.ramp} data-scale="difference" />
      <span>+{WIDEST} more likely</span>
      <span className={classes.dim}>
        {first} minus {second}, nats, centred on 0
      </span>
    </p>
  );
}
