import { Skeleton } from "@mantine/core";
import { Panel } from "./Panel";
import classes from "./PanelSkeleton.module.css";

interface Props {
  title?: string;
  /** Height of the content that will come, so that nothing jumps. */
  height?: number;
  /** Draw lines of text or table rows instead of one block. */
  rows?: number;
}

/** A panel whose content is on its way, in its final size. */
export function PanelSkeleton({ title, height = 320, rows }: Props) {
  const content =
    rows === undefined ? (
      <Skeleton height={height} radius="sm" animate />
    ) : (
      <div className={classes.rows}>
        {Array.from({ length: rows }, (_, row) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the rows are alike and never move
          <div key={row} className={classes.row}>
            <Skeleton height={10} width={`${[62, 48, 71, 55][row % 4]}%`} radius="sm" />
          </div>
        ))}
      </div>
    );
  return (
    <div role="status" aria-label={title === undefined ? "Loading" : `Loading: ${title}`}>
      {title === undefined ? content : <Panel title={title}>{content}</Panel>}
    </div>
  );
}
