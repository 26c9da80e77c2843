import { Button, Select, Switch } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { count, counted } from "@/components/format";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import type { Mode } from "../queries";
import classes from "./Agreement.module.css";
import { DisagreementCard } from "./DisagreementCard";
import { disagreementsKey, fetchDisagreements, type Rater, type Wanted } from "./queries";

interface Props {
  queueId: string;
  mode: Mode;
  raters: readonly Rater[];
  wanted: Wanted;
  canDecide: boolean;
  onChange: (wanted: Wanted) => void;
}

const PEOPLE = "people";

/** The items that raters judge most differently, to be decided by a person. */
export function Disagreements({ queueId, mode, raters, wanted, canDecide, onChange }: Props) {
  const pages = useInfiniteQuery({
    queryKey: disagreementsKey(queueId, wanted),
    queryFn: ({ pageParam }) => fetchDisagreements(queueId, wanted, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_after,
    staleTime: 20_000,
  });
  const machines = raters.filter((one) => one.source !== "person");
  const first = pages.data?.pages[0];
  const items = pages.data?.pages.flatMap((page) => page.items) ?? [];
  const names = new Map(raters.map((one) => [one.key, one.name]));
  return (
    <Panel
      title="Disagreements"
      note={
        first && `${counted(first.n, "item")}, largest first · ${count(first.n_decided)} decided`
      }
      actions={
        <div className={classes.controls}>
          <Select
            size="xs"
            aria-label="Compare"
            w={220}
            allowDeselect={false}
            value={wanted.against ?? PEOPLE}
            data={[
              { value: PEOPLE, label: "People with each other" },
              ...machines.map((one) => ({ value: one.key, label: `People with ${one.name}` })),
            ]}
            onChange={(value) =>
              onChange({ ...wanted, against: value === PEOPLE ? undefined : (value ?? undefined) })
            }
          />
          <Switch
            size="xs"
            label="Undecided only"
            checked={wanted.undecided}
            onChange={(event) => onChange({ ...wanted, undecided: event.currentTarget.checked })}
          />
        </div>
      }
      flush
    >
      {pages.isPending ? (
        <PanelSkeleton rows={5} />
      ) : pages.isError ? (
        <PanelError
          title="Disagreements"
          error={pages.error}
          onRetry={() => void pages.refetch()}
        />
      ) : items.length === 0 ? (
        <p className={classes.nothing}>
          {wanted.undecided && (first?.n ?? 0) > 0
            ? "Every disagreement is decided."
            : "Nobody disagrees here yet."}
        </p>
      ) : (
        <>
          <ul className={classes.items}>
            {items.map((item) => (
              <DisagreementCard
                key={item.item_id}
                queueId={queueId}
                mode={mode}
                item={item}
                names={names}
                canDecide={canDecide}
              />
            ))}
          </ul>
          {pages.hasNextPage && (
            <div className={classes.more}>
              <Button
                variant="default"
                loading={pages.isFetchingNextPage}
                onClick={() => void pages.fetchNextPage()}
              >
                Show more
              </Button>
            </div>
          )}
        </>
      )}
    </Panel>
  );
}
