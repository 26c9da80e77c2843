import type { Schema } from "@/api/client";
import { Notice } from "@/components/Notice";
import { Words } from "@/components/Words";
import classes from "./Warnings.module.css";

/** What an operator should look at, before anything else on the page. */
export function Warnings({ warnings }: { warnings: Schema<"SystemWarning">[] }) {
  if (warnings.length === 0) return null;
  return (
    <div className={classes.warnings}>
      {warnings.map(({ level, title, remedy }) => (
        <Notice key={title} level={level} title={title}>
          <Words>{remedy}</Words>
        </Notice>
      ))}
    </div>
  );
}
