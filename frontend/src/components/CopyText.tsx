import { ActionIcon, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import classes from "./CopyText.module.css";
import { Icon } from "./Icon";

interface Props {
  /** What is copied. */
  text: string;
  /** What is shown, when it is shorter: the start of a hash. */
  shown?: string;
  /** What it is: "sha256", "command". */
  what: string;
}

/** Exact text in a fixed-width face, with a button that copies it. */
export function CopyText({ text, shown = text, what }: Props) {
  const clipboard = useClipboard({ timeout: 1500 });
  return (
    <span className={classes.copy}>
      <code className={classes.text} title={text}>
        {shown}
      </code>
      <Tooltip label={clipboard.copied ? "Copied" : `Copy ${what}`}>
        <ActionIcon size={22} aria-label={`Copy ${what}`} onClick={() => clipboard.copy(text)}>
          <Icon name={clipboard.copied ? "check" : "copy"} size={14} />
        </ActionIcon>
      </Tooltip>
    </span>
  );
}
