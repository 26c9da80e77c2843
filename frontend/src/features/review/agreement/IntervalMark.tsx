import classes from "./Agreement.module.css";
import type { Estimate } from "./queries";

const [WIDTH, HEIGHT] = [120, 16];
const LOWEST = -0.25;

/** A statistic from -1 to 1 as a dot with its interval; below -0.25 the drawing is cut. */
export function IntervalMark({ estimate }: { estimate: Estimate }) {
  const { value, low, high } = estimate;
  if (value === null) return null;
  return (
    <svg className={classes.interval} width={WIDTH} height={HEIGHT} aria-hidden="true">
      <line x1={at(LOWEST)} x2={at(1)} y1={8} y2={8} className={classes.axis} />
      <line x1={at(0)} x2={at(0)} y1={3} y2={13} className={classes.axis} />
      {low !== null && high !== null && (
        <line x1={at(low)} x2={at(high)} y1={8} y2={8} className={classes.whisker} />
      )}
      <circle cx={at(value)} cy={8} r={3.5} className={classes.dot} />
    </svg>
  );
}

const at = (value: number): number =>
  4 + ((Math.max(LOWEST, value) - LOWEST) / (1 - LOWEST)) * (WIDTH - 8);
