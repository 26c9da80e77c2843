import { Tooltip } from "@mantine/core";
import { Equation } from "./Equation";
import classes from "./MethodMark.module.css";
import {
  colourOf,
  equationOf,
  type Fill,
  fillOf,
  lookOf,
  lookOfLabel,
  type MethodLook,
} from "./methods";

interface MarkProps {
  look: MethodLook;
  /** Pixels. */
  size?: number;
}

/** The method's mark: colour is its family, fill its constraint. Decoration: the name stands beside it. */
export function MethodMark({ look, size = 12 }: MarkProps) {
  return (
    <svg
      className={classes.mark}
      width={size}
      height={size}
      viewBox="0 0 12 12"
      aria-hidden="true"
      focusable="false"
      data-fill={fillOf(look)}
      style={{ color: colourOf(look.family) }}
    >
      <Shape fill={fillOf(look)} />
    </svg>
  );
}

// Mixed with the page, not transparent: the edge that a dark page adds must not shine through.
const HALF_TONE = "color-mix(in srgb, currentColor 50%, var(--aft-page))";

function Shape({ fill }: { fill: Fill }) {
  const ring = { cx: 6, cy: 6, r: 4.6, stroke: "currentColor", strokeWidth: 1.6 };
  switch (fill) {
    case "hollow":
      return <circle {...ring} fill="none" />;
    case "dotted":
      return <circle {...ring} fill="none" strokeDasharray="1.4 1.5" />;
    case "half":
      return <circle {...ring} fill={HALF_TONE} />;
    case "lower-half":
      return (
        <>
          <path d="M1.4 6a4.6 4.6 0 0 0 9.2 0Z" fill={HALF_TONE} />
          <circle {...ring} fill="none" />
        </>
      );
    case "solid":
      return <circle {...ring} fill="currentColor" />;
  }
}

interface NameProps {
  /** The paper's name with the constraint behind a dot: `AFT · boundary`. */
  label: string;
  /** As the API gives them; without, they are read from the label. */
  family?: string;
  constraint?: string;
  /** Shows the method's equation on hover and focus. */
  equation?: boolean;
}

/** A method's mark and name, the same wherever it stands. */
export function MethodName({ label, family, constraint, equation = false }: NameProps) {
  const look = family === undefined ? lookOfLabel(label) : lookOf(family, constraint ?? "none");
  const name = (
    <span className={classes.name}>
      <MethodMark look={look} />
      <span className={classes.label}>{label}</span>
    </span>
  );
  const formula = equation ? equationOf(look) : null;
  if (formula === null) return name;
  return (
    <Tooltip
      label={<Equation number={formula.number}>{formula.formula}</Equation>}
      maw={560}
      events={{ hover: true, focus: true, touch: true }}
    >
      {name}
    </Tooltip>
  );
}
