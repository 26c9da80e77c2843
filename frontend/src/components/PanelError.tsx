import { Button } from "@mantine/core";
import { ApiError, describeError } from "@/api/errors";
import { Icon } from "./Icon";
import { Panel } from "./Panel";
import classes from "./PanelError.module.css";
import { Words } from "./Words";

interface Props {
  /** The panel's title; without one the error stands bare, for use inside a panel or form. */
  title?: string;
  error: unknown;
  onRetry?: () => void;
  /** Height of the content that is missing, so that nothing jumps. */
  height?: number;
}

/** What happened, with the value, and what to do. */
export function PanelError({ title, error, onRetry, height }: Props) {
  const { title: what, detail, remedy } = describeError(error);
  const isGone = error instanceof ApiError && error.status === 404; // asking again finds it no more
  const message = (
    <div className={classes.error} role="alert" style={{ minHeight: height }}>
      <span className={classes.icon}>
        <Icon name="alert" />
      </span>
      <div className={classes.words}>
        <p className={classes.what}>{what}</p>
        {detail !== what && (
          <p>
            <Words>{detail}</Words>
          </p>
        )}
        {remedy !== "" && (
          <p className={classes.remedy}>
            <Words>{remedy}</Words>
          </p>
        )}
        {onRetry !== undefined && !isGone && (
          <Button
            className={classes.retry}
            size="xs"
            variant="default"
            leftSection={<Icon name="retry" size={14} />}
            onClick={onRetry}
          >
            Try again
          </Button>
        )}
      </div>
    </div>
  );
  return title === undefined ? message : <Panel title={title}>{message}</Panel>;
}
