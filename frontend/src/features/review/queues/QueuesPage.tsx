import { Badge, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { EmptyState } from "@/components/EmptyState";
import { count, counted } from "@/components/format";
import { Icon } from "@/components/Icon";
import { Time } from "@/components/Numbers";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Progress } from "@/components/Progress";
import { type Queue, queuesOptions, reviewerOptions, useSetReviewer } from "../queries";
import { MODES } from "../words";
import classes from "./Queues.module.css";
import { WhoAreYou } from "./WhoAreYou";

/** All review queues, with everybody's progress and mine. */
export function QueuesPage() {
  const queues = useQuery(queuesOptions());
  const reviewer = useQuery(reviewerOptions());
  const leave = useSetReviewer();
  const [asking, setAsking] = useState(false);
  const person = reviewer.data ?? null;
  const [open, closed] = [
    (queues.data ?? []).filter((queue) => queue.state === "open"),
    (queues.data ?? []).filter((queue) => queue.state === "closed"),
  ];
  return (
    <>
      <PageHeader
        title="Review"
        facts={
          person !== null && (
            <span className={classes.me}>
              <Icon name="people" size={14} /> You review as <bdi>{person.name}</bdi>
              <Button
                size="compact-xs"
                variant="subtle"
                color="gray"
                onClick={() => leave.mutate(null, { onSuccess: () => setAsking(true) })}
              >
                Not you?
              </Button>
            </span>
          )
        }
        actions={
          queues.data !== undefined &&
          queues.data.length > 0 && (
            <Button component={Link} to={paths.newQueue} leftSection={<Icon name="plus" />}>
              New queue
            </Button>
          )
        }
      />
      {queues.isPending || reviewer.isPending ? (
        <PanelSkeleton rows={6} />
      ) : queues.isError ? (
        <PanelError
          title="Review queues"
          error={queues.error}
          onRetry={() => void queues.refetch()}
        />
      ) : queues.data.length === 0 ? (
        <EmptyState
          icon="review"
          title="No review queues yet"
          action={
            <Button component={Link} to={paths.newQueue}>
              New queue
            </Button>
          }
        >
          A queue asks people to judge COTs: right or wrong, 1 to 10, in order, or the better of
          two. Their agreement is measured, and their ratings can be trained on.
        </EmptyState>
      ) : (
        <div className={classes.page}>
          {(person === null || asking) && <WhoAreYou onDone={() => setAsking(false)} />}
          <ul className={classes.list} aria-label="Open queues">
            {open.map((queue) => (
              <QueueRow key={queue.id} queue={queue} />
            ))}
          </ul>
          {closed.length > 0 && (
            <>
              <h2 className={classes.closed}>Closed</h2>
              <ul className={classes.list} aria-label="Closed queues">
                {closed.map((queue) => (
                  <QueueRow key={queue.id} queue={queue} />
                ))}
              </ul>
            </>
          )}
        </div>
      )}
    </>
  );
}

function QueueRow({ queue }: { queue: Queue }) {
  const { progress } = queue;
  const mine =
    progress.mine_left > 0
      ? `${counted(progress.mine_left, "item")} left for you`
      : progress.mine_done > 0
        ? "Nothing left for you"
        : "";
  return (
    <li className={classes.row}>
      <div className={classes.words}>
        <Link className={classes.name} to={paths.reviewQueue(queue.id)}>
          <bdi>{queue.name}</bdi>
        </Link>
        <div className={classes.facts}>
          <Badge>{MODES[queue.mode].label}</Badge>
          {queue.is_blind && <span>blind</span>}
          <span>
            {counted(progress.n_items, "item")}, {counted(queue.reviews_per_item, "review")} each
          </span>
          {queue.reviewers.length > 0 && <bdi>{queue.reviewers.join(", ")}</bdi>}
          <Time at={queue.created_at} relative />
        </div>
      </div>
      <div className={classes.progress}>
        <Progress
          done={progress.reviews_done}
          total={progress.reviews_wanted}
          label={`Reviews of ${queue.name}`}
          still={queue.state === "closed"}
        />
      </div>
      <div className={classes.start}>
        {queue.state === "open" && queue.may_review && progress.mine_left > 0 ? (
          <Button
            component={Link}
            variant="light"
            to={paths.reviewSession(queue.id)}
            aria-label={`Review ${queue.name}`}
          >
            Review
          </Button>
        ) : (
          <Button component={Link} variant="default" to={paths.reviewQueue(queue.id)}>
            Results
          </Button>
        )}
        <span className={classes.mine}>
          {mine}
          {progress.mine_done > 0 && progress.mine_left > 0
            ? ` · ${count(progress.mine_done)} done`
            : ""}
        </span>
      </div>
    </li>
  );
}
