import { Button, Menu } from "@mantine/core";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { paths } from "@/app/paths";
import { counted } from "@/components/format";
import { Icon } from "@/components/Icon";
import { notifyError, notifyUndo } from "@/components/notify";
import {
  type Experiment,
  type Priority,
  useDeleteExperiment,
  useExperimentAction,
  usePrioritise,
} from "../queries";
import { ExtendDialog } from "./ExtendDialog";

const PRIORITIES: readonly { value: Priority; label: string }[] = [
  { value: "high", label: "High priority: before others" },
  { value: "normal", label: "Normal priority" },
  { value: "low", label: "Low priority: after others" },
];

/** What can be done with the experiment now; the primary action is to compare. */
export function ExperimentActions({ experiment }: { experiment: Experiment }) {
  const { id, state, counts } = experiment;
  const [extending, setExtending] = useState(false);
  const cancel = useExperimentAction(id, "cancel");
  const retry = useExperimentAction(id, "retry");
  const pause = useExperimentAction(id, "pause");
  const resume = useExperimentAction(id, "resume");
  const again = counts.failed + counts.cancelled;
  const active = state === "running" || state === "paused";
  return (
    <>
      {state === "running" && (
        <Button variant="default" loading={pause.isPending} onClick={() => pause.mutate()}>
          Pause
        </Button>
      )}
      {state === "paused" && (
        <Button variant="default" loading={resume.isPending} onClick={() => resume.mutate()}>
          Resume
        </Button>
      )}
      {active && (
        <Button variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
          Cancel experiment
        </Button>
      )}
      {again > 0 && (
        <Button variant="default" loading={retry.isPending} onClick={() => retry.mutate()}>
          Retry {counted(again, "run")}
        </Button>
      )}
      <Button variant="default" onClick={() => setExtending(true)}>
        Extend
      </Button>
      <More experiment={experiment} />
      <Button component={Link} to={paths.comparison(id)}>
        Compare
      </Button>
      {extending && <ExtendDialog experiment={experiment} onClose={() => setExtending(false)} />}
    </>
  );
}

function More({ experiment }: { experiment: Experiment }) {
  const { id, name, state } = experiment;
  const navigate = useNavigate();
  const prioritise = usePrioritise(id);
  const remove = useDeleteExperiment(id);
  const restore = useExperimentAction(id, "restore");
  const isOver = state !== "running" && state !== "paused";
  const onDelete = () =>
    remove.mutate(undefined, {
      onSuccess: () => {
        navigate(paths.experiments);
        notifyUndo(`Deleted '${name}'; its runs stay.`, () =>
          restore.mutate(undefined, { onSuccess: () => navigate(paths.experiment(id)) }),
        );
      },
      onError: notifyError,
    });
  return (
    <Menu position="bottom-end" width={250}>
      <Menu.Target>
        <Button variant="default" rightSection={<Icon name="chevron-down" size={14} />}>
          More
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} to={`${paths.runs}?experiment=${id}`}>
          Runs
        </Menu.Item>
        <Menu.Item component={Link} to={paths.cotsOf(id)}>
          COTs
        </Menu.Item>
        <Menu.Item component={Link} to={`${paths.newExperiment}?from=${id}`}>
          Clone
        </Menu.Item>
        <Menu.Divider />
        {PRIORITIES.map((one) => (
          <Menu.Item
            key={one.value}
            onClick={() => prioritise.mutate(one.value)}
            leftSection={
              experiment.priority === one.value ? <Icon name="check" size={14} /> : <span />
            }
            aria-current={experiment.priority === one.value}
          >
            {one.label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item disabled={!isOver} onClick={onDelete}>
          {isOver ? "Delete experiment" : "Delete: cancel it first"}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
