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
  /** It is all there is on the page, so its title is the page's. */
  page?: boolean;
}

/** What this place is, why it is empty, and the one thing to do about it. */
export function EmptyState({ icon, title, children, action, page = false }: Props) {
  const Title = page ? "h1" : "h2";
  return (
    <div className={classes.empty}>
      {icon !== undefined && (
        <span className={classes.icon}>
          <Icon name={icon} size={20} />
        </span>
      )}
      <Title className={classes.title}>{title}</Title>
      <div className={classes.text}>{children}</div>
      {action !== undefined && <div className={classes.action}>{action}</div>}
    </div>
  );
}
