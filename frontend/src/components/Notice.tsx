import type { ReactNode } from "react";
import { Icon } from "./Icon";
import classes from "./Notice.module.css";
import { Words } from "./Words";

interface Props {
  level: "note" | "warning" | "error";
  title?: ReactNode;
  children?: ReactNode;
  action?: ReactNode;
}

/** Something to know before the work, or about the state of things. */
export function Notice({ level, title, children, action }: Props) {
  return (
    <div className={classes.notice} data-level={level} role={level === "error" ? "alert" : "note"}>
      <span className={classes.icon}>
        <Icon
          name={level === "note" ? "info" : "alert"}
          label={level === "note" ? "Note" : level === "warning" ? "Warning" : "Error"}
        />
      </span>
      <div className={classes.words}>
        {title !== undefined && <p className={classes.title}>{title}</p>}
        {typeof children === "string" ? <Words>{children}</Words> : children}
      </div>
      {action !== undefined && <div className={classes.action}>{action}</div>}
    </div>
  );
}
