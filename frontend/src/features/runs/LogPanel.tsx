import { Switch, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useLayoutEffect, useRef, useState } from "react";
import { bytes, counted } from "@/components/format";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import classes from "./LogPanel.module.css";
import { runLogOptions } from "./queries";

interface Props {
  runId: string;
  /** The run is writing: fetch again and keep to the end. */
  live: boolean;
  /** Opens at the end, where the error is. */
  failed: boolean;
}

/** The end of the run's log, or the lines of it that match a search. */
export function LogPanel({ runId, live, failed }: Props) {
  const [typed, setTyped] = useState("");
  const [search] = useDebouncedValue(typed.trim(), 300);
  const [follow, setFollow] = useState(true);
  const log = useQuery({ ...runLogOptions(runId, search), refetchInterval: live ? 2_000 : false });
  const place = useRef<HTMLElement>(null);
  const text = log.data?.text ?? "";
  // biome-ignore lint/correctness/useExhaustiveDependencies: new text is the trigger
  useLayoutEffect(() => {
    const element = place.current;
    if (element !== null && (follow || failed)) element.scrollTop = element.scrollHeight;
  }, [text, follow, failed]);
  const note =
    log.data === undefined
      ? undefined
      : search === ""
        ? bytes(log.data.size)
        : counted(log.data.matches ?? 0, "matching line");
  return (
    <Panel
      title="Log"
      note={note}
      flush
      actions={
        <>
          {live && (
            <Switch
              size="xs"
              label="Follow"
              checked={follow}
              onChange={(event) => setFollow(event.currentTarget.checked)}
            />
          )}
          <TextInput
            size="xs"
            w={180}
            aria-label="Search the log"
            placeholder="Search"
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        </>
      }
    >
      {log.isError ? (
        <PanelError error={log.error} onRetry={() => void log.refetch()} />
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard
        <section ref={place} className={classes.log} tabIndex={0} aria-label="Log text">
          {text === "" && !log.isPending ? (
            <span className={classes.nothing}>
              {search === "" ? "Nothing has been written yet." : "No line matches."}
            </span>
          ) : (
            text
          )}
        </section>
      )}
    </Panel>
  );
}
