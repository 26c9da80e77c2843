import { count, counted } from "@/components/format";
import { Panel } from "@/components/Panel";
import { Progress } from "@/components/Progress";
import type { Queue } from "../queries";
import classes from "./Queues.module.css";

/** How far a queue is, for whoever is named at this browser too, and what its reviewers read. */
export function QueueOverview({ queue, named }: { queue: Queue; named: boolean }) {
  const { progress } = queue;
  const mine = `${count(progress.mine_done)} by you, ${count(progress.mine_left)} left for you`;
  return (
    <>
      <Panel
        title="Progress"
        note={`${counted(progress.n_items, "item")}${named ? ` · ${mine}` : ""}`}
      >
        <Progress
          done={progress.reviews_done}
          total={progress.reviews_wanted}
          label="Reviews"
          phase="Reviews"
          still={queue.state !== "open"}
        />
      </Panel>
      {queue.guidelines !== "" && (
        <Panel title="Guidelines">
          <p className={classes.guidelines}>{queue.guidelines}</p>
        </Panel>
      )}
    </>
  );
}
