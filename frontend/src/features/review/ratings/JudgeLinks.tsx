import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { Panel } from "@/components/Panel";
import { judgesOptions, type Source } from "./queries";
import classes from "./Ratings.module.css";

/** Ways to have an LLM rate these COTs. */
export function JudgeLinks({ source }: { source: Source }) {
  const judges = useQuery(judgesOptions());
  const query =
    "queue_id" in source
      ? `?queue=${source.queue_id}`
      : `?set=${encodeURIComponent(source.run_id)}`;
  if (judges.data === undefined) return null;
  return (
    <Panel title="Have a judge rate these COTs">
      <div className={classes.row}>
        {judges.data.map((judge) => (
          <Button
            key={judge.name}
            component={Link}
            size="xs"
            variant="default"
            to={`${paths.judge(judge.name)}${query}`}
          >
            <bdi>{judge.name}</bdi>
          </Button>
        ))}
        <Button component={Link} size="xs" variant="subtle" to={paths.newJudge}>
          Add a judge
        </Button>
      </div>
    </Panel>
  );
}
