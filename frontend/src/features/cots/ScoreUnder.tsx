import { Button, Popover, Select } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { counted } from "@/components/format";
import { Notice } from "@/components/Notice";
import { notifyError } from "@/components/notify";
import { PanelError } from "@/components/PanelError";
import { Progress } from "@/components/Progress";
import { isActive, RunState } from "@/components/RunState";
import { checkpointsOptions, pendingScoresOptions, useScoreSet } from "./inspecting";
import { setOptions } from "./queries";
import classes from "./SetFrame.module.css";

/** Models that could still score a set or the rest of it, and what the choice is called. */
function useScorable(setId: string) {
  const set = useQuery(setOptions(setId));
  const checkpoints = useQuery(checkpointsOptions(setId));
  const pending = useQuery(pendingScoresOptions(setId));
  const all = set.data?.counts.all ?? 0;
  // Runs that assess a model leave repeated COTs out: without their scores a set is whole.
  const distinct = all - (set.data?.counts.duplicate ?? 0);
  const scored = new Map(set.data?.models.map((one) => [one.model_run_id, one.n_scored]));
  const busy = new Set(
    pending.data?.filter((one) => isActive(one.state)).map((one) => one.model_run_id),
  );
  const choices = (checkpoints.data ?? []).flatMap((one) => {
    const n = scored.get(one.model_run_id) ?? 0;
    if (busy.has(one.model_run_id) || (n > 0 && n >= distinct)) return [];
    const label = n === 0 ? one.model : `${one.model} (${n} of ${all} scored)`;
    return [{ value: one.model_run_id, label }];
  });
  return {
    queries: [set, checkpoints, pending],
    choices,
    all,
    nFinished: checkpoints.data?.length ?? 0,
  };
}

/** The button that has a set scored under one more checkpoint; looks for models once it is pressed. */
export function ScoreUnder({ setId }: { setId: string }) {
  const [open, setOpen] = useState(false);
  return (
    <Popover opened={open} onChange={setOpen} width={320} position="bottom-start" trapFocus>
      <Popover.Target>
        <Button size="xs" variant="default" onClick={() => setOpen(!open)}>
          Score under…
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Score this set under another checkpoint">
        {open && <Choice setId={setId} onStarted={() => setOpen(false)} />}
      </Popover.Dropdown>
    </Popover>
  );
}

function Choice({ setId, onStarted }: { setId: string; onStarted: () => void }) {
  const { queries, choices, all, nFinished } = useScorable(setId);
  const [asked, setAsked] = useState<string | null>(null);
  const start = useScoreSet(setId);
  const failed = queries.find((one) => one.isError);
  if (failed !== undefined)
    return <PanelError error={failed.error} onRetry={() => void failed.refetch()} />;
  if (queries.some((one) => one.isPending)) return <p role="status">Looking for models…</p>;
  const chosen = choices.find((one) => one.value === asked) ?? choices[0];
  if (chosen === undefined)
    return (
      <p className={classes.words}>
        {nFinished === 0
          ? "No finished model is here that could score these COTs. "
          : "Every finished model here has scored these COTs, or is at it. "}
        <Link to={paths.newExperiment}>Train another</Link>
      </p>
    );
  return (
    <form
      className={classes.ask}
      onSubmit={(event) => {
        event.preventDefault();
        start.mutate(chosen.value, { onSuccess: onStarted, onError: notifyError });
      }}
    >
      <Select
        label="Checkpoint"
        size="xs"
        searchable
        allowDeselect={false}
        comboboxProps={{ withinPortal: false }}
        data={choices}
        value={chosen.value}
        onChange={setAsked}
      />
      <p className={classes.words}>
        A run scores {counted(all, "COT")} under it. Scores that are stored stay as they are.
      </p>
      <Button type="submit" size="xs" loading={start.isPending}>
        Score the COTs
      </Button>
    </form>
  );
}

/** Score runs of a set that are under way or have failed. What shows scores is read anew once one ends. */
export function ScoringRuns({ setId }: { setId: string }) {
  const client = useQueryClient();
  const pending = useQuery(pendingScoresOptions(setId));
  const checkpoints = useQuery({
    ...checkpointsOptions(setId),
    enabled: (pending.data?.length ?? 0) > 0,
  });
  const running = (pending.data ?? []).filter((one) => isActive(one.state));
  const before = useRef(0);
  useEffect(() => {
    if (running.length < before.current) void client.invalidateQueries({ queryKey: ["cots"] });
    before.current = running.length;
  }, [client, running.length]);
  const nameOf = (id: string) =>
    checkpoints.data?.find((one) => one.model_run_id === id)?.model ?? "a model";
  return (
    <>
      {pending.data
        ?.filter((one) => one.state === "failed")
        .map((one) => (
          <Notice
            key={one.run_id}
            level="error"
            title={`The COTs could not be scored under ${nameOf(one.model_run_id)}`}
            action={<Link to={paths.run(one.run_id)}>Open the run</Link>}
          >
            <p>{one.problem}</p>
          </Notice>
        ))}
      {running.map((one) => (
        <div key={one.run_id} className={classes.waiting} role="status">
          <RunState state={one.state} />
          <Progress
            label={`Scoring under ${nameOf(one.model_run_id)}`}
            done={one.progress.done}
            total={one.progress.total}
            phase={`${nameOf(one.model_run_id)}: ${
              one.progress.phase || (one.state === "queued" ? "waiting for a worker" : "starting")
            }`}
          />
          <Link to={paths.run(one.run_id)}>Run</Link>
        </div>
      ))}
    </>
  );
}
