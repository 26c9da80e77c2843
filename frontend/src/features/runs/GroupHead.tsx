import { Link } from "react-router";
import { paths } from "@/app/paths";
import { counted } from "@/components/format";
import { Icon } from "@/components/Icon";
import { MethodName } from "@/components/MethodMark";
import type { RunGroup } from "./queries";
import classes from "./RunsPage.module.css";
import { statesInWords } from "./runStates";

interface Props {
  group: RunGroup;
  open: boolean;
  onToggle: () => void;
}

/** The line above the runs of one method in one experiment. */
export function GroupHead({ group, open, onToggle }: Props) {
  const name = group.experiment_name ?? "No experiment";
  const method = group.method ?? (group.experiment_id === null ? "No method" : "Shared stages");
  return (
    <div className={classes.group}>
      <button
        type="button"
        className={classes.toggle}
        tabIndex={-1}
        aria-expanded={open}
        aria-label={`Runs of ${name}, ${method}`}
        onClick={onToggle}
      >
        <Icon name={open ? "chevron-down" : "chevron-right"} size={14} />
      </button>
      <span className={classes.experiment}>
        {group.experiment_id === null ? (
          name
        ) : (
          <Link to={paths.experiment(group.experiment_id)}>{name}</Link>
        )}
      </span>
      <span className={classes.method}>
        {group.method === null ? method : <MethodName label={group.method} />}
      </span>
      <span className={classes.counts}>
        {counted(group.runs, "run")}: {statesInWords(group.states)}
      </span>
    </div>
  );
}
