import { useQuery } from "@tanstack/react-query";
import { asApiError } from "@/api/client";
import { EmptyState } from "@/components/EmptyState";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { JudgeLinks } from "./JudgeLinks";
import { NewRankingSet } from "./NewRankingSet";
import { ratersOptions, type Source } from "./queries";
import { RankingSets } from "./RankingSets";
import { RatingFiles } from "./RatingFiles";
import classes from "./Ratings.module.css";

/** From ratings to a ranking set and into training; ratings as files. */
export function RatingsTab({ source, name }: { source: Source; name: string }) {
  const raters = useQuery(ratersOptions(source));
  if (raters.isPending) return <PanelSkeleton title="Ranking sets" rows={6} />;
  if (raters.isError) {
    const problem = asApiError(raters.error);
    return problem?.status === 403 ? (
      <EmptyState icon="review" title="Hidden while you review">
        {problem.detail} {problem.remedy}
      </EmptyState>
    ) : (
      <PanelError title="Ratings" error={raters.error} onRetry={() => void raters.refetch()} />
    );
  }
  return (
    <div className={classes.page}>
      <RankingSets source={source} />
      {raters.data.length === 0 ? (
        <EmptyState icon="review" title="Nothing is rated yet">
          Reviews, decisions, a judge’s ratings and imported ones can be combined into a ranking set
          and trained on.
        </EmptyState>
      ) : (
        <NewRankingSet source={source} raters={raters.data} name={name} />
      )}
      <JudgeLinks source={source} />
      <RatingFiles source={source} hasRatings={raters.data.length > 0} />
    </div>
  );
}
