import { Tooltip } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { ago, fullTime, meanSpread, NOT_MEASURED, shortTime } from "./format";
import classes from "./Numbers.module.css";

interface NumberProps {
  /** Already formatted, by `components/format`. */
  children: string;
  /** The stored things that the number comes from. */
  to?: string | undefined;
  /** Said on hover and to screen readers: n, interval, what is missing. */
  about?: string;
  strong?: boolean;
}

/** A right-aligned number; a link when it comes from stored candidates. */
export function NumberCell({ children, to, about, strong = false }: NumberProps) {
  const missing = children === NOT_MEASURED;
  const className = `${classes.number} ${strong ? classes.strong : ""} ${missing ? classes.missing : ""}`;
  const text = missing ? <Missing word="not measured" /> : children;
  const cell =
    to !== undefined && !missing ? (
      <Link className={className} to={to}>
        {text}
      </Link>
    ) : (
      <span className={className}>{text}</span>
    );
  if (about === undefined) return cell;
  return (
    <Tooltip label={about} maw={320}>
      {cell}
    </Tooltip>
  );
}

/** The dash for what is not there, spoken as a word. */
function Missing({ word }: { word: string }) {
  return (
    <>
      <span aria-hidden="true">{NOT_MEASURED}</span>
      <span className="visually-hidden">{word}</span>
    </>
  );
}

interface MeanProps {
  mean: number | null;
  std: number | null;
  /** Seeds measured. */
  n: number;
  decimals?: number;
  /** 100 turns fractions into percent. */
  scale?: number;
  to?: string | undefined;
  strong?: boolean;
}

/** `48.3 ± 0.9`, saying that ± is the standard deviation over n seeds. */
export function MeanCell({ mean, std, n, decimals = 1, scale = 1, to, strong = false }: MeanProps) {
  const seeds = n === 1 ? "1 seed" : `${n} seeds`;
  const about =
    mean === null
      ? "Not measured."
      : std === null
        ? `${seeds}; a standard deviation needs two.`
        : `Mean ± standard deviation over ${seeds}.`;
  return (
    <NumberCell to={to} about={about} strong={strong}>
      {meanSpread(mean, std, decimals, scale)}
    </NumberCell>
  );
}

interface TimeProps {
  at: string | null | undefined;
  /** `3 min ago` instead of the clock. */
  relative?: boolean;
  /** Now, for relative times that are redrawn; by default the moment of drawing. */
  now?: Date;
}

/** A time in the local zone; everything about it in the tooltip. */
export function Time({ at, relative = false, now }: TimeProps): ReactNode {
  if (at === null || at === undefined) return <Missing word="none" />;
  return (
    <time className={classes.time} dateTime={at} title={fullTime(at)}>
      {relative ? ago(at, now) : shortTime(at, now)}
    </time>
  );
}
