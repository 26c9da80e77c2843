import type { ReactNode } from "react";
import { Link } from "react-router";
import classes from "./PageHeader.module.css";

interface Props {
  title: string;
  /** Where this page belongs: shown above the title as a link. */
  parent?: { label: string; to: string };
  /** State, marks and counts beside the title. */
  beside?: ReactNode;
  /** One line of facts below the title. */
  facts?: ReactNode;
  /** Buttons; the primary one last. A page has one. */
  actions?: ReactNode;
}

/** The page's heading, its place and its actions; also names the browser's tab. */
export function PageHeader({ title, parent, beside, facts, actions }: Props) {
  return (
    <header className={classes.header}>
      <title>{`${title} · AFT Workbench`}</title>
      <div className={classes.words}>
        {parent !== undefined && (
          <Link className={classes.parent} to={parent.to}>
            {parent.label}
          </Link>
        )}
        <div className={classes.line}>
          <h1 className={classes.title}>{title}</h1>
          {beside}
        </div>
        {facts !== undefined && <div className={classes.facts}>{facts}</div>}
      </div>
      {actions !== undefined && <div className={classes.actions}>{actions}</div>}
    </header>
  );
}
