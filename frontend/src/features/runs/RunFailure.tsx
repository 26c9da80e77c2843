import { Notice } from "@/components/Notice";
import type { Run } from "./queries";
import classes from "./RunFailure.module.css";

/** The plain cause first, then what to do, then the trace for those who want it. */
export function RunFailure({
  error,
  state,
}: {
  error: NonNullable<Run["error"]>;
  state: Run["state"];
}) {
  return (
    <div className={classes.failure}>
      <Notice level={state === "failed" ? "error" : "note"} title={error.title}>
        {says(error) && <p className={classes.line}>{error.detail}</p>}
        {error.step !== null && <p className={classes.line}>At step {error.step}.</p>}
        {error.remedy !== "" && <p className={classes.line}>{error.remedy}</p>}
        {error.traceback !== "" && (
          <details className={classes.trace}>
            <summary>Where in the code</summary>
            <pre>{error.traceback}</pre>
          </details>
        )}
      </Notice>
    </div>
  );
}

/** Whether the detail has more than the title and the remedy, whose sentences it often repeats. */
function says({
  title,
  detail,
  remedy,
}: {
  title: string;
  detail: string;
  remedy: string;
}): boolean {
  const rest = detail.startsWith(title) ? detail.slice(title.length) : detail;
  return !["", remedy].includes(rest.replace(/^[.!?]?\s*/, ""));
}
