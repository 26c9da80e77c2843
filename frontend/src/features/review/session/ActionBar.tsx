import { Button } from "@mantine/core";
import { Icon } from "@/components/Icon";
import { KeyHint } from "@/components/KeyHint";
import type { Item } from "../queries";
import { type Draft, missing } from "./draft";
import { type Action, type KeyMap, keyParts } from "./keys";
import classes from "./Session.module.css";

interface Props {
  item: Item;
  draft: Draft;
  keys: KeyMap;
  /** What is still lacking, in words. */
  hint: string;
  onAction: (action: Action) => void;
}

/** What can be done with the item, each with its key. */
export function ActionBar({ item, draft, keys, hint, onAction }: Props) {
  const lacking = missing(item, draft).length;
  const quiet = (
    action: Action,
    words: string,
    icon: Parameters<typeof Icon>[0]["name"],
    on = false,
  ) => (
    <Button
      key={action}
      variant={on ? "light" : "subtle"}
      color={on ? "aft" : "gray"}
      leftSection={<Icon name={icon} size={14} />}
      rightSection={
        <span className={classes.wide} aria-hidden="true">
          <KeyHint keys={keyParts(keys[action])} />
        </span>
      }
      aria-keyshortcuts={keyParts(keys[action]).join("+").replace("Mod", "Control")}
      aria-pressed={action === "flag" ? on : undefined}
      onClick={() => onAction(action)}
    >
      <span className={classes.actionWord}>{words}</span>
    </Button>
  );
  return (
    <footer className={classes.actions}>
      {quiet("previous", "Item before", "chevron-left")}
      {quiet("undo", "Undo", "retry")}
      {quiet("skip", "Skip", "skip")}
      {quiet("flag", draft.isFlagged ? "Flagged" : "Flag", "flag", draft.isFlagged)}
      {quiet("note", "Note", "note", draft.note !== "")}
      {item.reference !== null && quiet("diff", "Difference", "columns")}
      {item.candidates.some((one) => one.known !== null) && quiet("tokens", "Tokens", "tag")}
      {item.gold_answer !== null && quiet("gold", "Gold answer", "check")}
      <span className={classes.hint}>{hint}</span>
      <Button
        variant={lacking === 0 ? "filled" : "default"}
        rightSection={<Icon name="arrow-right" size={14} />}
        onClick={() => onAction("submit")}
      >
        Submit
      </Button>
    </footer>
  );
}
