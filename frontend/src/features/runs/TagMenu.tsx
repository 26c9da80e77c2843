import { Button, Popover, TextInput } from "@mantine/core";
import { useState } from "react";
import { counted } from "@/components/format";
import { Icon } from "@/components/Icon";
import { type RunRow, useTagging } from "./queries";
import classes from "./TagMenu.module.css";

/** Tags of the chosen runs: puts one on all of them, or takes one off. */
export function TagMenu({ chosen }: { chosen: readonly RunRow[] }) {
  const [opened, setOpened] = useState(false);
  const [tag, setTag] = useState("");
  const tagging = useTagging();
  const run_ids = chosen.map((run) => run.id);
  const there = [...new Set(chosen.flatMap((run) => run.tags))].sort();
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" width={280} trapFocus>
      <Popover.Target>
        <Button variant="default" disabled={chosen.length === 0} onClick={() => setOpened(!opened)}>
          {chosen.length > 0 ? `Tag ${chosen.length}` : "Tag"}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          className={classes.form}
          onSubmit={(event) => {
            event.preventDefault();
            const add = tag.trim();
            if (add !== "")
              tagging.mutate({ run_ids, add: [add], remove: [] }, { onSuccess: () => setTag("") });
          }}
        >
          <TextInput
            label={`Tag for ${counted(chosen.length, "run")}`}
            value={tag}
            maxLength={40}
            onChange={(event) => setTag(event.currentTarget.value)}
            data-autofocus
          />
          <Button type="submit" disabled={tag.trim() === ""} loading={tagging.isPending}>
            Add
          </Button>
        </form>
        <ul className={classes.tags} aria-label="Tags of these runs">
          {there.map((one) => (
            <li key={one}>
              <button
                type="button"
                className={classes.tag}
                aria-label={`Remove tag ${one}`}
                onClick={() => tagging.mutate({ run_ids, add: [], remove: [one] })}
              >
                {one}
                <Icon name="close" size={12} />
              </button>
            </li>
          ))}
        </ul>
      </Popover.Dropdown>
    </Popover>
  );
}
