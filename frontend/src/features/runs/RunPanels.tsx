import { Link } from "react-router";
import { paths } from "@/app/paths";
import { Facts } from "@/components/Facts";
import { bytes, count, duration, fixed, percent, perplexity } from "@/components/format";
import { NumberCell, Time } from "@/components/Numbers";
import { Panel } from "@/components/Panel";
import { RunState } from "@/components/RunState";
import { flatten, humanName } from "./configuration";
import type { Run } from "./queries";
import classes from "./RunPanels.module.css";

type Result = Run["results"][number];

function shown(result: Result): string {
  if (result.metric.includes("perplexity")) return perplexity(result.value);
  if (/accuracy|rate/.test(result.metric)) return percent(result.value);
  return fixed(result.value, 3);
}

/** The final numbers, linked to the candidates they come from. */
export function Results({ run }: { run: Run }) {
  const [experiment] = run.experiments;
  const to = experiment === undefined ? undefined : paths.cotsOf(experiment, { set: run.id });
  return (
    <Panel title="Results" flush>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Measure</th>
            <th scope="col" data-numeric="true">
              Value
            </th>
            <th scope="col" data-numeric="true">
              n
            </th>
          </tr>
        </thead>
        <tbody>
          {run.results.map((result) => (
            <tr key={result.metric}>
              <th scope="row">{humanName(result.metric)}</th>
              <td data-numeric="true">
                <NumberCell to={result.metric === "task_accuracy" ? to : undefined}>
                  {shown(result)}
                </NumberCell>
              </td>
              <td data-numeric="true">{count(result.n)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

export function Lineage({ run }: { run: Run }) {
  if (run.parents.length + run.children.length === 0) return null;
  return (
    <Panel title="Lineage">
      <Related title="Made from" related={run.parents} />
      <Related title="Used by" related={run.children} />
    </Panel>
  );
}

function Related({ title, related }: { title: string; related: Run["parents"] }) {
  if (related.length === 0) return null;
  return (
    <>
      <h3 className={classes.small}>{title}</h3>
      <ul className={classes.list}>
        {related.map((one) => (
          <li key={`${one.role} ${one.run_id}`} className={classes.related}>
            <RunState state={one.state} iconOnly />
            <Link to={paths.run(one.run_id)}>{one.name}</Link>
            <span className={classes.role}>{one.role}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

export function Attempts({ run }: { run: Run }) {
  if (run.attempts.length === 0) return null;
  return (
    <Panel title="Attempts" note={`at most ${run.max_attempts}`}>
      <ol className={classes.list}>
        {run.attempts.map((attempt) => (
          <li key={attempt.number} value={attempt.number} className={classes.attempt}>
            <span>
              Attempt {attempt.number}: {attempt.outcome ?? "under way"}
            </span>
            <span className={classes.role}>
              <Time at={attempt.started_at} />
              {attempt.ended_at !== null &&
                ` · ${duration((Date.parse(attempt.ended_at) - Date.parse(attempt.started_at)) / 1000)}`}
              {attempt.resumed_from_step !== null &&
                ` · resumed from step ${count(attempt.resumed_from_step)}`}
              {attempt.last_step !== null && ` · reached step ${count(attempt.last_step)}`}
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

export function Configuration({ run }: { run: Run }) {
  const different = new Set(run.config_difference.map((one) => String(one.path)));
  const items = flatten(run.config).filter(([path]) => path !== "kind");
  return (
    <Panel
      title="Configuration"
      note={different.size > 0 ? `${different.size} differ from the run it starts from` : "frozen"}
    >
      <dl className={classes.config}>
        {items.map(([path, value]) => (
          <div key={path} data-different={different.has(path)}>
            <dt>{path}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

const PURPOSES = {
  final: () => "final",
  best: (step: number) => `best, step ${count(step)}`,
} as const;

export function Files({ run }: { run: Run }) {
  if (run.checkpoints.length === 0) return null;
  return (
    <Panel title="Checkpoints">
      <Facts
        items={run.checkpoints.map((one) => [
          one.purpose === "resume" ? `step ${count(one.step)}` : PURPOSES[one.purpose](one.step),
          <span key={one.id}>
            {bytes(one.size_bytes)} · sha256 {one.sha256.slice(0, 12)}…
            {one.purpose === "final" && (
              <>
                {" · "}
                <a href={`/api/v1/checkpoints/${one.id}/export`} download>
                  Export
                </a>
              </>
            )}
          </span>,
        ])}
      />
    </Panel>
  );
}

export function History({ run }: { run: Run }) {
  if (run.events.length === 0) return null;
  const events = run.events.filter((event) => event.action !== "progress").slice(0, 20);
  return (
    <Panel title="Events">
      <ul className={classes.list}>
        {events.map((event) => (
          <li key={event.id} className={classes.event}>
            <Time at={event.created_at} /> <span>{event.action}</span>
            {event.action === "tracker failed" && (
              <span>
                {" "}
                {String(event.data.tracker)}: {String(event.data.problem)}
              </span>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
