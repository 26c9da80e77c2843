import { count, eta as formatEta } from "./format";
import classes from "./Progress.module.css";

interface Props {
  done: number;
  /** Null while the total is unknown: the bar then only shows that something moves. */
  total: number | null;
  etaSeconds?: number | null;
  /** What is being done, in words. */
  phase?: string;
  /** Names the bar for screen readers. */
  label: string;
  /** Only the bar. */
  bare?: boolean;
  /** Stands still: paused, failed or cancelled. */
  still?: boolean;
}

/** How far something is, and about how long it still takes. */
export function Progress({
  done,
  total,
  etaSeconds,
  phase,
  label,
  bare = false,
  still = false,
}: Props) {
  const fraction = total === null || total === 0 ? null : Math.min(1, done / total);
  const percentDone = fraction === null ? null : Math.floor(fraction * 100);
  const value =
    percentDone === null
      ? {}
      : { "aria-valuenow": percentDone, "aria-valuemin": 0, "aria-valuemax": 100 };
  const remaining = etaSeconds === null || etaSeconds === undefined ? "" : formatEta(etaSeconds);
  return (
    <div className={classes.progress}>
      <div
        className={classes.track}
        role="progressbar"
        aria-label={label}
        data-unknown={fraction === null && !still}
        data-still={still}
        {...value}
      >
        <div
          className={classes.bar}
          style={{ width: fraction === null ? undefined : `${fraction * 100}%` }}
        />
      </div>
      {!bare && (
        <div className={classes.words}>
          <span>
            {phase}
            {total !== null && (
              <span className={classes.counts}>
                {phase === undefined || phase === "" ? "" : " · "}
                {count(done)} / {count(total)}
              </span>
            )}
          </span>
          <span className={classes.eta}>
            {percentDone === null ? "" : `${percentDone}\u202f%`}
            {remaining === "" ? "" : ` · ${remaining}`}
          </span>
        </div>
      )}
    </div>
  );
}
