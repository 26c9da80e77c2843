import { Badge, Button, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearchParams } from "react-router";
import { paths } from "@/app/paths";
import { counted } from "@/components/format";
import { PageHeader } from "@/components/PageHeader";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { AgreementTab } from "../agreement/AgreementTab";
import { queueOptions, reviewerOptions, useChangeQueue } from "../queries";
import { RatingsTab } from "../ratings/RatingsTab";
import { MODES } from "../words";
import { QueueOverview } from "./QueueOverview";
import classes from "./Queues.module.css";
import { WhoAreYou } from "./WhoAreYou";

const TABS = ["overview", "agreement", "ratings"];

/** One queue: its rules, its progress, and where its reviews lead. */
export function QueuePage() {
  const { queueId = "" } = useParams();
  const queue = useQuery({ ...queueOptions(queueId), refetchInterval: 10_000 });
  const reviewer = useQuery(reviewerOptions());
  const change = useChangeQueue(queueId);
  const [query, setQuery] = useSearchParams();
  const tab = TABS.find((one) => one === query.get("tab")) ?? TABS[0];
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
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(value) =>
          setQuery(value === null || value === TABS[0] ? {} : { tab: value }, { replace: true })
        }
      >
        <Tabs.List mb={16}>
          <Tabs.Tab value="overview">Overview</Tabs.Tab>
          <Tabs.Tab value="agreement">Agreement</Tabs.Tab>
          <Tabs.Tab value="ratings">Ratings</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="overview" className={classes.page}>
          {reviewer.data === null && <WhoAreYou />}
          <QueueOverview queue={queue.data} named={Boolean(reviewer.data)} />
        </Tabs.Panel>
        <Tabs.Panel value="agreement">
          <AgreementTab queue={queue.data} />
        </Tabs.Panel>
        <Tabs.Panel value="ratings">
          <RatingsTab source={{ queue_id: queueId }} name={queue.data.name} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
