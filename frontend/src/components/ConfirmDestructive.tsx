import { Button, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./ConfirmDestructive.module.css";
import { PanelError } from "./PanelError";

interface Props {
  opened: boolean;
  onClose: () => void;
  /** A question that names the thing: "Delete data set gsm8k?" */
  title: string;
  /** What will be gone, each by its name and size. */
  destroys: readonly ReactNode[];
  /** What stays, or how to get it back. */
  keeps?: ReactNode;
  /** The button's verb and object: "Delete data set". */
  action: string;
  onConfirm: () => void;
  pending?: boolean;
  /** Why the last try did not work. */
  error?: unknown;
}

/** Asks before something is destroyed, and names what is. */
export function ConfirmDestructive(props: Props) {
  const { opened, onClose, title, destroys, keeps, action, onConfirm } = props;
  const pending = props.pending ?? false;
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      size="md"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <p>This destroys:</p>
      <ul className={classes.list}>
        {destroys.map((item, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a list that is shown once and never reordered
          <li key={index}>{item}</li>
        ))}
      </ul>
      {keeps !== undefined && <p className={classes.keeps}>{keeps}</p>}
      {props.error !== undefined && props.error !== null && (
        <div className={classes.error}>
          <PanelError error={props.error} />
        </div>
      )}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep
        </Button>
        <Button className={classes.destroy} onClick={onConfirm} loading={pending}>
          {action}
        </Button>
      </div>
    </Modal>
  );
}
