import { Button, NumberInput, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { asApiError } from "@/api/client";
import { count, counted } from "@/components/format";
import { Notice } from "@/components/Notice";
import { notifyDone } from "@/components/notify";
import { Panel } from "@/components/Panel";
import classes from "./Judges.module.css";
import {
  experimentsOptions,
  type Judge,
  type JudgeRunCreate,
  judgeRunPreviewOptions,
  queuesOptions,
  setsOptions,
  useStartJudgeRun,
  useTryJudge,
} from "./queries";
import { TriedItems } from "./TriedItems";

const BUILTIN = "builtin";
const VERDICTS = ["right", "wrong", "unparsed", "truncated"] as const;
type Verdict = (typeof VERDICTS)[number];

/** Choose COTs, try the judge on ten of them, then rate all. */
export function JudgeWork({ judge }: { judge: Judge }) {
  const [query] = useSearchParams();
  const [kind, setKind] = useState(query.has("queue") ? "queue" : query.has("set") ? "set" : "");
  const [queueId, setQueueId] = useState(query.get("queue") ?? "");
  const [experimentId, setExperimentId] = useState(query.get("experiment") ?? "");
  const [setId, setSetId] = useState(query.get("set") ?? "");
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [n, setN] = useState<number | string>("");
  const [samples, setSamples] = useState<number | string>(3);
  const queues = useQuery(queuesOptions());
  const experiments = useQuery(experimentsOptions());
  const experiment = experimentId || experiments.data?.[0]?.id || "";
  const sets = useQuery({
    ...setsOptions(experiment),
    enabled: kind === "set" && experiment !== "",
  });
  const set = setId || sets.data?.[0]?.run_id || "";
  const queue = queueId || queues.data?.[0]?.id || "";
  const source =
    kind === "queue" && queue !== ""
      ? { queue_id: queue }
      : kind === "set" && set !== ""
        ? { candidates_run_id: set }
        : null;
  const body: JudgeRunCreate | null = source && {
    ...source,
    candidate_ids: [],
    samples: Number(samples) || 3,
    temperature: 1,
    max_tokens: 1024,
    seed: 0,
    repeat: false,
    ...(kind === "set" && { verdict }),
    ...(Number(n) > 0 && { n: Number(n) }),
  };
  const preview = useQuery(judgeRunPreviewOptions(judge.name, body));
  const attempt = useTryJudge(judge.name);
  const start = useStartJudgeRun(judge.name);
  const refused = asApiError(preview.error ?? start.error ?? attempt.error);
  return (
    <>
      <Panel
        title="Try it, then rate"
        note={
          preview.data
            ? `${counted(preview.data.n_candidates, "COT")}, ${counted(preview.data.n_requests, "reply", "replies")} asked for`
            : undefined
        }
      >
        <form
          className={classes.form}
          onSubmit={(event) => {
            event.preventDefault();
            attempt.mutate({ ...(source ?? {}), n: 10, samples: 1 });
          }}
        >
          <div className={classes.fields}>
            <Select
              label="COTs of"
              allowDeselect={false}
              value={kind || BUILTIN}
              data={[
                { value: BUILTIN, label: "the built-in task, made for the try" },
                { value: "queue", label: "a review queue" },
                { value: "set", label: "a candidate set" },
              ]}
              onChange={(value) => setKind(value === BUILTIN ? "" : (value ?? ""))}
            />
            {kind === "queue" && (
              <Select
                label="Queue"
                allowDeselect={false}
                searchable
                value={queue || null}
                data={(queues.data ?? []).map((one) => ({ value: one.id, label: one.name }))}
                onChange={(value) => setQueueId(value ?? "")}
              />
            )}
            {kind === "set" && (
              <>
                <Select
                  label="Experiment"
                  allowDeselect={false}
                  searchable
                  value={experiment || null}
                  data={(experiments.data ?? []).map((one) => ({ value: one.id, label: one.name }))}
                  onChange={(value) => {
                    setExperimentId(value ?? "");
                    setSetId("");
                  }}
                />
                <Select
                  label="Candidate set"
                  allowDeselect={false}
                  value={set || null}
                  data={(sets.data ?? []).map((one) => ({ value: one.run_id, label: one.name }))}
                  onChange={(value) => setSetId(value ?? "")}
                />
                <Select
                  label="Only"
                  clearable
                  placeholder="every verdict"
                  value={verdict}
                  data={VERDICTS.map((one) => ({ value: one, label: one }))}
                  onChange={(value) => setVerdict(value as Verdict | null)}
                />
              </>
            )}
            {kind !== "" && (
              <>
                <NumberInput
                  label="Drawn at random"
                  placeholder="all"
                  min={1}
                  max={10_000}
                  value={n}
                  onChange={setN}
                />
                <NumberInput
                  label="Replies for each COT"
                  min={1}
                  max={20}
                  value={samples}
                  onChange={setSamples}
                />
              </>
            )}
          </div>
          {refused !== undefined && (
            <Notice level="error" title={refused.title}>
              <p>
                {refused.detail} {refused.remedy}
              </p>
            </Notice>
          )}
          <div className={classes.buttons}>
            <Button type="submit" variant="default" loading={attempt.isPending}>
              Try on ten
            </Button>
            <Button
              disabled={!preview.data}
              loading={start.isPending}
              onClick={() =>
                body !== null &&
                start.mutate(body, {
                  onSuccess: (run) =>
                    notifyDone(
                      run.reused ? "These ratings exist already." : "The judge is at work.",
                    ),
                })
              }
            >
              {preview.data ? `Rate ${count(preview.data.n_candidates)} COTs` : "Rate"}
            </Button>
          </div>
        </form>
      </Panel>
      {attempt.data !== undefined && <TriedItems tried={attempt.data} />}
    </>
  );
}
