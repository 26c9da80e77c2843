import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { paths } from "@/app/paths";
import { counted } from "@/components/format";
import { notifyError } from "@/components/notify";
import classes from "./CotsPage.module.css";
import { type CandidateSet, fetchIds, type ListFilter } from "./queries";

interface Props {
  set: CandidateSet;
  filter: ListFilter;
  chosen: ReadonlySet<string>;
  onChoose: (ids: ReadonlySet<string>) => void;
}

/** What is selected, and what can be done with it. */
export function SelectionBar({ set, filter, chosen, onChoose }: Props) {
  const navigate = useNavigate();
  const all = useMutation({
    mutationFn: () => fetchIds(set.run_id, filter),
    onSuccess: ({ ids, is_complete }) => {
      onChoose(new Set(ids.map(String)));
      if (!is_complete)
        notifications.show({
          title: `The first ${ids.length} are selected`,
          message: "A queue takes no more. Filter further to reach the rest.",
          color: "yellow",
        });
    },
    onError: notifyError,
  });
  const review = () =>
    navigate(`${paths.newQueue}?set=${set.run_id}`, {
      state: { candidates: [...chosen].map(Number) },
    });
  return (
    <div className={classes.selection}>
      <span role="status">
        {chosen.size === 0 ? "" : `${counted(chosen.size, "COT")} selected`}
      </span>
      <Button
        size="compact-xs"
        variant="subtle"
        loading={all.isPending}
        onClick={() => all.mutate()}
      >
        Select all matching
      </Button>
      {chosen.size > 0 && (
        <>
          <Button size="compact-xs" variant="subtle" onClick={() => onChoose(new Set())}>
            Select none
          </Button>
          <Button size="compact-xs" variant="default" onClick={review}>
            New review queue
          </Button>
        </>
      )}
    </div>
  );
}
