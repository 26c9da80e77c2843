import { Link } from "react-router";
import type { Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { Notice } from "@/components/Notice";
import { Words } from "@/components/Words";
import classes from "./Warnings.module.css";

/** What an operator should look at, before anything else on the page. */
export function Warnings({ warnings }: { warnings: Schema<"SystemWarning">[] }) {
  if (warnings.length === 0) return null;
  return (
    <div className={classes.warnings}>
      {warnings.map(({ level, title, remedy, run_id }) => (
        <Notice
          key={title}
          level={level}
          title={title}
          action={run_id !== null && <Link to={paths.run(run_id)}>Look at the run</Link>}
        >
          <Words>{remedy}</Words>
        </Notice>
      ))}
    </div>
  );
}
