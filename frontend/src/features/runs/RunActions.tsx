import { Button } from "@mantine/core";
import { useNavigate } from "react-router";
import { paths } from "@/app/paths";
import { type RunActionName, type RunRow, useRunAction } from "./queries";
import { TagMenu } from "./TagMenu";

/** More runs than these are no longer told apart in a chart. */
const MOST_COMPARED = 100;
const ENDED: readonly string[] = ["succeeded", "failed", "cancelled"];

/** What can be done with the chosen runs together. */
export function RunActions({ chosen }: { chosen: readonly RunRow[] }) {
  const navigate = useNavigate();
  // By their age, as experiments order their runs.
  const comparable = chosen
    .filter((row) => row.kind === "train" || row.kind === "evaluate")
    .map((row) => row.id)
    .sort();
  return (
    <>
      <Act
        action="cancel"
        verb="Cancel"
        runs={chosen.filter((row) => !ENDED.includes(row.state))}
      />
      <Act
        action="retry"
        verb="Retry"
        runs={chosen.filter((row) => ["failed", "cancelled"].includes(row.state))}
      />
      <Act action="clone" verb="Clone" runs={chosen} />
      <TagMenu chosen={chosen} />
      <Button
        variant="default"
        disabled={comparable.length === 0 || comparable.length > MOST_COMPARED}
        onClick={() => navigate(paths.comparisonOfRuns(comparable))}
      >
        {counting("Compare", comparable.length)}
      </Button>
    </>
  );
}

interface ActProps {
  action: RunActionName;
  verb: string;
  runs: readonly RunRow[];
}

function Act({ action, verb, runs }: ActProps) {
  const act = useRunAction(action);
  return (
    <Button
      variant="default"
      disabled={runs.length === 0}
      loading={act.isPending}
      onClick={() => act.mutate(runs.map((row) => row.id))}
    >
      {counting(verb, runs.length)}
    </Button>
  );
}

const counting = (verb: string, n: number): string => (n > 0 ? `${verb} ${n}` : verb);
