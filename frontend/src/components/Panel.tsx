import type { ReactNode } from "react";
import classes from "./Panel.module.css";

interface Props {
  title?: ReactNode;
  /** Beside the title, quieter: a unit, a count. */
  note?: ReactNode;
  actions?: ReactNode;
  /** Content without padding: tables and lists reach the edge. */
  flush?: boolean;
  children: ReactNode;
  className?: string;
}

/** A framed part of a page. */
export function Panel({ title, note, actions, flush = false, children, className = "" }: Props) {
  return (
    <section className={`${classes.panel} ${className}`}>
      {(title !== undefined || actions !== undefined) && (
        <div className={classes.head}>
          <h2 className={classes.title}>{title}</h2>
          {note !== undefined && <span className={classes.note}>{note}</span>}
          {actions !== undefined && <div className={classes.actions}>{actions}</div>}
        </div>
      )}
      <div className={flush ? classes.flush : classes.body}>{children}</div>
    </section>
  );
}
