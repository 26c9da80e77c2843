import { Fragment } from "react";
import classes from "./KeyHint.module.css";

const isMac = /Mac|iP(hone|ad|od)/.test(navigator.userAgent);
const NAMES: Record<string, string> = {
  Mod: isMac ? "⌘" : "Ctrl",
  Up: "↑",
  Down: "↓",
  Left: "←",
  Right: "→",
};

interface Props {
  /** Pressed together. `Mod` is Ctrl, or ⌘ on a Mac. */
  keys: readonly string[];
}

/** The keys that do something. */
export function KeyHint({ keys }: Props) {
  return (
    <span className={classes.keys}>
      {keys.map((key, index) => (
        <Fragment key={key}>
          {index > 0 && <span className="visually-hidden"> + </span>}
          <kbd className={classes.key}>{NAMES[key] ?? key}</kbd>
        </Fragment>
      ))}
    </span>
  );
}
