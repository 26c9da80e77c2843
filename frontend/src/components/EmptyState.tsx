import type { ReactNode } from "react";
import classes from "./EmptyState.module.css";
import { Icon, type IconName } from "./Icon";

interface Props {
  icon?: IconName;
  /** What would be here. */
  title: string;
  /** Why it is empty, and what it is for. */
  children: ReactNode;
  /** The one button. */
  action?: ReactNode;
}

/** What this place is, why it is empty, and the one thing to do about it. */
export function EmptyState({ icon, title, children, action }: Props) {
  return (
    <div className={classes.empty}>
      {icon !== undefined && (
        <span className={classes.icon}>
          <Icon name={icon} size={20} />
        </span>
      )}
      <h2 className={classes.title}>{title}</h2>
      <div className={classes.text}>{children}</div>
      {action !== undefined && <div className={classes.action}>{action}</div>}
    </div>
  );
}
