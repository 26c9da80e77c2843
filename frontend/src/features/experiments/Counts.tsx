import { count } from "@/components/format";
import { Progress } from "@/components/Progress";
import classes from "./Counts.module.css";
import type { ExperimentRow } from "./queries";

/** How many of an experiment's runs are done, as a bar and in numbers. */
export function Counts({ row }: { row: ExperimentRow }) {
  const { succeeded, failed } = row.counts;
  return (
    <span className={classes.counts}>
      <span className={classes.bar}>
        <Progress
          bare
          still={row.state !== "running"}
          label={`Progress of ${row.name}`}
          done={succeeded}
          total={row.runs_total}
        />
      </span>
      <span>
        {count(succeeded)} / {count(row.runs_total)}
      </span>
      {failed > 0 && <span className={classes.failed}>{count(failed)} failed</span>}
    </span>
  );
}
