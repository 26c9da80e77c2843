import { ActionIcon, Tooltip } from "@mantine/core";
import { useSyncExternalStore } from "react";
import { Link } from "react-router";
import { connection } from "@/api/connection";
import { paths } from "@/app/paths";
import { count } from "@/components/format";
import { Icon } from "@/components/Icon";
import type { Person, Queue, ReviewProgress } from "../queries";
import { MODES } from "../words";
import classes from "./Session.module.css";

interface Props {
  queue: Queue;
  person: Person;
  progress: ReviewProgress | null;
  /** Submissions not confirmed yet. */
  pending: number;
  onGuidelines: () => void;
  onKeys: () => void;
  onFullScreen: () => void;
}

/** Where I am, how far, and whether everything is stored. */
export function SessionBar(props: Props) {
  const { queue, person, progress, pending } = props;
  const state = useSyncExternalStore(connection.subscribe, connection.current);
  const done = progress?.mine_done ?? 0;
  const total = done + (progress?.mine_left ?? 0);
  const saved =
    state === "offline" ? (
      <span className={classes.offline}>
        <Icon name="alert" size={14} /> Offline · {count(pending)} kept here
      </span>
    ) : pending > 0 ? (
      `Saving ${count(pending)}`
    ) : (
      "Saved"
    );
  return (
    <header className={classes.bar}>
      <Link
        className={classes.leave}
        to={paths.reviewQueue(queue.id)}
        aria-label="Leave the session"
      >
        <Icon name="close" />
      </Link>
      <div className={classes.where}>
        <strong className={classes.name}>{queue.name}</strong>
        <span className={classes.dim}>
          {MODES[queue.mode].label}
          {queue.is_blind ? " · blind" : ""} · {person.name}
        </span>
      </div>
      <div className={classes.progress}>
        <div
          className={classes.track}
          role="progressbar"
          aria-label="My progress"
          aria-valuemin={0}
          aria-valuemax={Math.max(1, total)}
          aria-valuenow={done}
        >
          <div style={{ width: `${total === 0 ? 0 : (100 * done) / total}%` }} />
        </div>
        <span className={classes.dim}>
          {count(done)} / {count(total)}
        </span>
      </div>
      <span className={classes.saved} data-testid="saved">
        {saved}
      </span>
      {queue.guidelines !== "" && (
        <Tooltip label="Guidelines">
          <ActionIcon aria-label="Guidelines" onClick={props.onGuidelines}>
            <Icon name="book" />
          </ActionIcon>
        </Tooltip>
      )}
      <Tooltip label="Full screen">
        <ActionIcon className={classes.wide} aria-label="Full screen" onClick={props.onFullScreen}>
          <Icon name="expand" />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="All keys">
        <ActionIcon className={classes.wide} aria-label="All keys" onClick={props.onKeys}>
          <Icon name="keyboard" />
        </ActionIcon>
      </Tooltip>
    </header>
  );
}
