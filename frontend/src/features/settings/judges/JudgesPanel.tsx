import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { EmptyState } from "@/components/EmptyState";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import classes from "./Judges.module.css";
import { judgesOptions } from "./queries";
import { Spent } from "./Spent";

/** Every LLM judge with what it has cost. */
export function JudgesPanel() {
  const judges = useQuery(judgesOptions());
  if (judges.isPending) return <PanelSkeleton title="Judges" rows={2} />;
  if (judges.isError)
    return <PanelError title="Judges" error={judges.error} onRetry={() => void judges.refetch()} />;
  const add = (
    <Button component={Link} size="xs" variant="default" to={paths.newJudge}>
      Add a judge
    </Button>
  );
  return (
    <Panel title="Judges" actions={judges.data.length > 0 && add} flush>
      {judges.data.length === 0 ? (
        <EmptyState icon="review" title="No LLM judge yet" action={add}>
          Any OpenAI-compatible endpoint can rate COTs: a local server, or a provider’s. Keys stay
          on this machine.
        </EmptyState>
      ) : (
        <ul className={classes.list}>
          {judges.data.map((judge) => (
            <li key={judge.name}>
              <div>
                <Link to={paths.judge(judge.name)}>
                  <bdi>{judge.name}</bdi>
                </Link>
                <span className={classes.dim}>
                  <bdi>{judge.model}</bdi> · {judge.base_url}
                </span>
              </div>
              <Spent judge={judge} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
