import { Button } from "@mantine/core";
import type { Schema } from "@/api/client";
import type { ApiError } from "@/api/errors";
import { Facts } from "@/components/Facts";
import { count } from "@/components/format";
import { Notice } from "@/components/Notice";
import { Panel } from "@/components/Panel";
import classes from "./Queues.module.css";

interface Props {
  preview: Schema<"QueuePreview"> | null;
  reviews: number;
  problem: ApiError | undefined;
  waiting: boolean;
  ready: boolean;
  creating: boolean;
}

/** What the queue would hold, and how much work it is. */
export function QueuePlan({ preview, reviews, problem, waiting, ready, creating }: Props) {
  const items = preview?.n_items ?? null;
  return (
    <aside className={classes.side}>
      <Panel title="This queue" note={waiting ? "looking" : undefined}>
        <Facts
          items={[
            ["Items", count(items)],
            ["COTs to judge", count(preview?.n_candidates)],
            ["Gold items", count(preview?.n_gold)],
            ["Reviews in all", count(items === null ? null : items * reviews)],
          ]}
        />
      </Panel>
      {problem !== undefined && (
        <Notice level="error" title={problem.title}>
          <p>
            {problem.detail} {problem.remedy}
          </p>
        </Notice>
      )}
      <Button type="submit" loading={creating} disabled={!ready || problem?.status === 422}>
        Create queue
      </Button>
    </aside>
  );
}
