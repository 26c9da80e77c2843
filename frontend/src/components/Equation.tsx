import { Fragment, type ReactNode } from "react";
import classes from "./Equation.module.css";

interface Props {
  /** `_x`, `_{…}` and `^x`, `^{…}` set indices; single Latin and Greek letters are set as variables. */
  children: string;
  /** The equation's number in the paper. */
  number?: string;
}

/** An equation as text: selectable, readable aloud, without a formula library. */
export function Equation({ children, number }: Props) {
  return (
    <span className={classes.equation}>
      <span className={classes.formula}>{setIndices(children)}</span>
      {number !== undefined && <span className={classes.number}>Eq. {number}</span>}
    </span>
  );
}

const INDEX = /([_^])(\{[^}]*\}|.)/gu;

/** Splits the markup into text, subscripts and superscripts. */
export function setIndices(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let last = 0;
  for (const match of text.matchAll(INDEX)) {
    const [whole, kind = "", raw = ""] = match;
    parts.push(
      <Fragment key={`text ${last}`}>{setVariables(text.slice(last, match.index))}</Fragment>,
    );
    const content = raw.startsWith("{") ? raw.slice(1, -1) : raw;
    const Tag = kind === "_" ? "sub" : "sup";
    parts.push(<Tag key={`index ${match.index}`}>{setVariables(content)}</Tag>);
    last = match.index + whole.length;
  }
  parts.push(<Fragment key={`text ${last}`}>{setVariables(text.slice(last))}</Fragment>);
  return parts;
}

// A letter alone is a variable; a word such as "log" or "max" is upright.
const VARIABLE = /(?<![\p{L}])([a-zA-Zβτ])(?![\p{L}])/gu;

function setVariables(text: string): ReactNode[] {
  return text.split(VARIABLE).map((part, index) => {
    // Splitting by one group puts the letters at odd places; a formula never reorders its parts.
    const key = `${index} ${part}`;
    return index % 2 === 1 ? <i key={key}>{part}</i> : <Fragment key={key}>{part}</Fragment>;
  });
}
