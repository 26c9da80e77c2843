import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { asApiError } from "@/api/client";
import { EmptyState } from "@/components/EmptyState";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { type Queue, reviewerOptions } from "../queries";
import classes from "./Agreement.module.css";
import { AgreementNumbers } from "./AgreementNumbers";
import { Disagreements } from "./Disagreements";
import { PairView } from "./PairView";
import { agreementOptions, type PairKeys } from "./queries";
import { AgainstPeople, PeopleMatrix } from "./RaterPairs";

/** Who agrees with whom, how certainly, where not, and what was decided. */
export function AgreementTab({ queue }: { queue: Queue }) {
  const agreement = useQuery(agreementOptions(queue.id));
  const reviewer = useQuery(reviewerOptions());
  const [query, setQuery] = useSearchParams();
  const change = (changes: Record<string, string | undefined>) =>
    setQuery(
      (before) => {
        for (const [name, value] of Object.entries(changes)) {
          if (value === undefined) before.delete(name);
          else before.set(name, value);
        }
        return before;
      },
      { replace: true },
    );
  if (agreement.isPending) return <PanelSkeleton title="People" rows={6} />;
  if (agreement.isError) {
    const problem = asApiError(agreement.error);
    return problem?.status === 403 ? (
      <EmptyState icon="review" title="Hidden while you review">
        {problem.detail} {problem.remedy}
      </EmptyState>
    ) : (
      <PanelError
        title="Agreement"
        error={agreement.error}
        onRetry={() => void agreement.refetch()}
      />
    );
  }
  const { data } = agreement;
  if (!data.raters.some((one) => one.source === "person"))
    return (
      <EmptyState icon="review" title="No reviews yet">
        When people have reviewed items, this shows how far they agree with each other and with
        judges.
      </EmptyState>
    );
  const [first] = [...data.against_people, ...data.pairs];
  const asked = query.get("pair")?.split("~");
  const pair: PairKeys | null =
    asked?.[0] !== undefined && asked[1] !== undefined
      ? { one: asked[0], other: asked[1] }
      : (first ?? null);
  const choose = ({ one, other }: PairKeys) => change({ pair: `${one}~${other}` });
  return (
    <div className={classes.page}>
      <div className={classes.two}>
        <AgreementNumbers agreement={data} />
        <PeopleMatrix agreement={data} chosen={pair} onChoose={choose} />
      </div>
      <AgainstPeople agreement={data} chosen={pair} onChoose={choose} />
      {pair !== null && <PairView queueId={queue.id} pair={pair} />}
      <Disagreements
        queueId={queue.id}
        mode={queue.mode}
        raters={data.raters}
        canDecide={reviewer.data !== null && reviewer.data !== undefined}
        wanted={{
          against: query.get("against") ?? undefined,
          undecided: query.get("undecided") === "1",
        }}
        onChange={({ against, undecided }) =>
          change({ against, undecided: undecided ? "1" : undefined })
        }
      />
    </div>
  );
}
