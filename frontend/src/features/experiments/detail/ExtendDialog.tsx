import { Button, Modal, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { bytes, counted, eta } from "@/components/format";
import { PanelError } from "@/components/PanelError";
import { MethodsPicker } from "../form/MethodsPicker";
import { MorePlaces, type Places } from "../form/MorePlaces";
import { type MethodChoice, methodProblems, toMethod } from "../form/methods";
import {
  datasetsOptions,
  type Experiment,
  type Extension,
  extensionPlanOptions,
  modelsOptions,
  useExtend,
} from "../queries";
import classes from "./ExtendDialog.module.css";
import { placesOf, readSeeds } from "./extension";

const NO_PROBLEMS: ReadonlyMap<string, string> = new Map();

/** Adds methods, seeds, data sets or models to the experiment; says before what will be computed. */
export function ExtendDialog({
  experiment,
  onClose,
}: {
  experiment: Experiment;
  onClose: () => void;
}) {
  const [methods, setMethods] = useState<MethodChoice[]>([]);
  const [seedText, setSeedText] = useState("");
  const [places, setPlaces] = useState<Places>({});
  const datasets = useQuery(datasetsOptions());
  const models = useQuery(modelsOptions());
  const seeds = readSeeds(seedText, experiment.seeds);
  const unreadable = methods.some((one) => methodProblems(one).length > 0);
  const extension = useMemo<Extension | null>(() => {
    const found = readSeeds(seedText, experiment.seeds);
    if (found.problem !== undefined || unreadable) return null;
    const { more_datasets = [], more_models = [], also_test_on = [] } = places;
    const added = [...methods, ...found.seeds, ...more_datasets, ...more_models, ...also_test_on];
    if (added.length === 0) return null;
    const seeds = found.seeds;
    return { methods: methods.map(toMethod), seeds, more_datasets, more_models, also_test_on };
  }, [methods, seedText, places, experiment.seeds, unreadable]);
  const [asked] = useDebouncedValue(extension, 250);
  const plan = useQuery(extensionPlanOptions(experiment.id, asked));
  const extend = useExtend(experiment.id);
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Extend ${experiment.name}`}
      size="xl"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (extension !== null) extend.mutate(extension, { onSuccess: onClose });
        }}
      >
        <p className={classes.about}>
          Everything that is finished is kept and reused; only the new cells are computed. It has{" "}
          {experiment.methods.join(", ")} under {experiment.seeds.length === 1 ? "seed" : "seeds"}{" "}
          {experiment.seeds.join(", ")}.
        </p>
        <TextInput
          label="Seeds to add"
          placeholder="4, 5"
          value={seedText}
          error={seeds.problem}
          onChange={(event) => setSeedText(event.currentTarget.value)}
          data-autofocus
        />
        <MethodsPicker methods={methods} problems={NO_PROBLEMS} onChange={setMethods} />
        <MorePlaces
          places={places}
          taken={placesOf(experiment.spec)}
          datasets={datasets.data ?? []}
          models={models.data ?? []}
          problems={NO_PROBLEMS}
          onChange={(changed) => setPlaces((before) => ({ ...before, ...changed }))}
        />
        <div aria-live="polite" className={classes.plan}>
          {extension === null ? (
            "Add a seed, a method, a data set or a model to see what it takes."
          ) : plan.isError ? (
            <PanelError error={plan.error} />
          ) : plan.data === undefined ? (
            "Planning"
          ) : (
            <>
              {counted(plan.data.runs_new, "new run")}, {eta(plan.data.estimate_seconds)}, about{" "}
              {bytes(plan.data.estimate_disk_bytes)}
              {plan.data.runs_reused > 0 && `; ${counted(plan.data.runs_reused, "run")} reused`}
              {plan.data.warnings
                .filter((one) => one.level === "error")
                .map((one) => (
                  <p key={one.message} role="alert" className={classes.problem}>
                    {one.message} {one.remedy}
                  </p>
                ))}
            </>
          )}
        </div>
        {extend.isError && <PanelError error={extend.error} />}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button
            type="submit"
            loading={extend.isPending}
            disabled={extension === null || plan.isError || plan.data?.can_start === false}
          >
            Extend experiment
          </Button>
        </div>
      </form>
    </Modal>
  );
}
