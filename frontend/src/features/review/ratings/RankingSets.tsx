import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { count, counted, shortId } from "@/components/format";
import { Time } from "@/components/Numbers";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { type RankingSet, rankingSetsOptions, type Source } from "./queries";
import { RankingStatistics } from "./RankingStatistics";
import classes from "./Ratings.module.css";

/** Versions of ranking sets, each a click away from an experiment that trains on it. */
export function RankingSets({ source }: { source: Source }) {
  const sets = useQuery(rankingSetsOptions(source));
  if (sets.isPending) return <PanelSkeleton title="Ranking sets" rows={3} />;
  if (sets.isError) return <PanelError title="Ranking sets" error={sets.error} />;
  if (sets.data.length === 0) return null;
  return (
    <Panel title="Ranking sets" note={counted(sets.data.length, "version")} flush>
      <ul className={classes.sets}>
        {sets.data.map((set) => (
          <SetRow key={set.id} set={set} />
        ))}
      </ul>
    </Panel>
  );
}

function SetRow({ set }: { set: RankingSet }) {
  const { statistics } = set;
  const trains = set.part === "train" && statistics.pairs > 0;
  return (
    <li className={classes.set}>
      <details>
        <summary>
          <strong>
            <bdi>{set.name}</bdi> v{set.version}
          </strong>
          <span className={classes.dim}>
            {counted(statistics.candidates, "COT")} of {counted(statistics.questions, "question")} ·{" "}
            {counted(statistics.pairs, "pair")} · {count(statistics.ties)} tied ·{" "}
            {Object.keys(statistics.raters).slice(0, 4).join(", ")} ·{" "}
            <Time at={set.created_at} relative />
          </span>
        </summary>
        <RankingStatistics statistics={statistics} />
        <p className={classes.dim}>
          {set.settings.combine} of the ratings, scale {set.settings.scale}, tied within{" "}
          {set.settings.tie_tolerance}, {counted(set.settings.min_ratings ?? 1, "rater")} at least ·
          sha256 <code title={set.sha256}>{shortId(set.sha256, 12)}</code>
        </p>
      </details>
      {trains && (
        <Button
          component={Link}
          size="xs"
          to={`${paths.newExperiment}?ranking=${set.id}`}
          aria-label={`Train with ${set.name} v${set.version}`}
        >
          Train with these ratings
        </Button>
      )}
    </li>
  );
}
