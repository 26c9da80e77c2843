import { Button, Modal, Textarea, TextInput } from "@mantine/core";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { KeyHint } from "@/components/KeyHint";
import type { Queue } from "../queries";
import { MODES } from "../words";
import classes from "./Session.module.css";

const REASONS = ["The question is unclear", "I cannot judge this", "The text is broken"] as const;

interface SkipProps {
  opened: boolean;
  onClose: () => void;
  onSkip: (reason: string) => void;
}

/** Why an item is skipped: a number, or words of one's own. */
export function SkipDialog({ opened, onClose, onSkip }: SkipProps) {
  const [own, setOwn] = useState("");
  useEffect(() => {
    if (opened) setOwn("");
  }, [opened]);
  // On the window, from the moment the dialog is there: its field gets the focus a little later.
  useLayoutEffect(() => {
    if (!opened) return;
    const listen = (event: KeyboardEvent) => {
      const reason = REASONS[Number(event.key) - 1];
      if (own !== "" || reason === undefined) return;
      event.preventDefault();
      onSkip(reason);
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [opened, own, onSkip]);
  return (
    <Modal opened={opened} onClose={onClose} title="Skip this item">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (own.trim() !== "") onSkip(own.trim());
        }}
      >
        <div className={classes.reasons}>
          {REASONS.map((reason, index) => (
            <Button
              key={reason}
              variant="default"
              justify="space-between"
              rightSection={<KeyHint keys={[`${index + 1}`]} />}
              onClick={() => onSkip(reason)}
            >
              {reason}
            </Button>
          ))}
          <TextInput
            data-autofocus
            label="Another reason"
            placeholder="Type it, then Enter; or press a number"
            maxLength={200}
            value={own}
            onChange={(event) => setOwn(event.currentTarget.value)}
          />
        </div>
      </form>
    </Modal>
  );
}

interface NoteProps {
  value: string;
  focused: boolean;
  onChange: (note: string) => void;
  onLeave: () => void;
}

/** A note on the item; Esc or Ctrl Enter leads back to the keys. */
export function NoteField({ value, focused, onChange, onLeave }: NoteProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (focused) field.current?.focus();
  }, [focused]);
  return (
    <Textarea
      ref={field}
      className={classes.note ?? ""}
      label="Note"
      description="Esc leads back to the keys."
      autosize
      minRows={2}
      maxRows={8}
      maxLength={4000}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      onBlur={onLeave}
      onKeyDown={(event) => {
        if (event.key !== "Escape" && !(event.key === "Enter" && (event.ctrlKey || event.metaKey)))
          return;
        event.preventDefault();
        event.currentTarget.blur();
      }}
    />
  );
}

interface GuidelinesProps {
  opened: boolean;
  queue: Queue;
  onClose: () => void;
}

/** What the reviewers are asked to do. */
export function GuidelinesDialog({ opened, queue, onClose }: GuidelinesProps) {
  return (
    <Modal opened={opened} onClose={onClose} title="Guidelines" size="lg">
      <p className={classes.dim}>{MODES[queue.mode].task}</p>
      <p className={classes.text}>{queue.guidelines}</p>
    </Modal>
  );
}
