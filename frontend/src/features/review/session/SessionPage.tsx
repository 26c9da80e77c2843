import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { queueOptions, reviewerOptions } from "../queries";
import { WhoAreYou } from "../queues/WhoAreYou";
import { Session } from "./Session";
import classes from "./Session.module.css";

/** At work in a queue: nothing else is on the screen. */
export function SessionPage() {
  const { queueId = "" } = useParams();
  const queue = useQuery(queueOptions(queueId));
  const reviewer = useQuery(reviewerOptions());
  if (queue.isPending || reviewer.isPending) return <PanelSkeleton rows={10} />;
  if (queue.isError)
    return <PanelError title="Review" error={queue.error} onRetry={() => void queue.refetch()} />;
  if (reviewer.isError)
    return (
      <PanelError title="Review" error={reviewer.error} onRetry={() => void reviewer.refetch()} />
    );
  if (reviewer.data === null)
    return (
      <div className={classes.who}>
        <WhoAreYou />
      </div>
    );
  // A session belongs to one person: somebody else starts another.
  return <Session key={reviewer.data.id} queue={queue.data} person={reviewer.data} />;
}
