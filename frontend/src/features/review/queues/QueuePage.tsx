import { Badge, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import { paths } from "@/app/paths";
import { count, counted } from "@/components/format";
import { PageHeader } from "@/components/PageHeader";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Progress } from "@/components/Progress";
import { queueOptions, reviewerOptions, useChangeQueue } from "../queries";
import { MODES } from "../words";
import classes from "./Queues.module.css";
import { WhoAreYou } from "./WhoAreYou";

/** One queue: its rules, its progress, and where its reviews lead. */
export function QueuePage() {
  const { queueId = "" } = useParams();
  const queue = useQuery({ ...queueOptions(queueId), refetchInterval: 10_000 });
  const reviewer = useQuery(reviewerOptions());
  const change = useChangeQueue(queueId);
  if (queue.isPending || reviewer.isPending) return <PanelSkeleton rows={10} />;
  if (queue.isError)
    return (
      <PanelError title="Review queue" error={queue.error} onRetry={() => void queue.refetch()} />
    );
  const { progress, mode, state } = queue.data;
  const isOpen = state === "open";
  return (
    <>
      <PageHeader
        title={queue.data.name}
        parent={{ label: "Review", to: paths.review }}
        beside={!isOpen && <Badge color="gray">closed</Badge>}
        facts={`${MODES[mode].label} · ${queue.data.is_blind ? "blind" : "open"} · ${counted(
          queue.data.reviews_per_item,
          "review",
        )} of each item · ${
          queue.data.reviewers.length === 0 ? "everybody" : queue.data.reviewers.join(", ")
        }`}
        actions={
          <>
            <Button
              variant="default"
              loading={change.isPending}
              onClick={() => change.mutate({ state: isOpen ? "closed" : "open" })}
            >
              {isOpen ? "Close queue" : "Open again"}
            </Button>
            {isOpen && queue.data.may_review && (
              <Button component={Link} to={paths.reviewSession(queueId)}>
                {progress.mine_done > 0 ? "Go on reviewing" : "Start reviewing"}
              </Button>
            )}
          </>
        }
      />
      <div className={classes.page}>
        {reviewer.data === null && <WhoAreYou />}
        <Panel
          title="Progress"
          note={`${counted(progress.n_items, "item")} · ${count(progress.mine_done)} by you, ${count(progress.mine_left)} left for you`}
        >
          <Progress
            done={progress.reviews_done}
            total={progress.reviews_wanted}
            label="Reviews"
            phase="Reviews"
            still={!isOpen}
          />
        </Panel>
        {queue.data.guidelines !== "" && (
          <Panel title="Guidelines">
            <p className={classes.guidelines}>{queue.data.guidelines}</p>
          </Panel>
        )}
      </div>
    </>
  );
}
