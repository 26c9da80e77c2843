import { Button, Checkbox, NumberInput, Select, Switch, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { asApiError } from "@/api/client";
import { count } from "@/components/format";
import { Notice } from "@/components/Notice";
import { notifyDone } from "@/components/notify";
import { Panel } from "@/components/Panel";
import {
  type AvailableRater,
  rankingPreviewOptions,
  type Source,
  useCreateRankingSet,
} from "./queries";
import { RankingStatistics } from "./RankingStatistics";
import classes from "./Ratings.module.css";
import {
  COMBINE,
  chosenRaters,
  emptyRanking,
  type RankingForm,
  raterKey,
  SCALES,
  toRankingSet,
} from "./rankingForm";

interface Props {
  source: Source;
  raters: readonly AvailableRater[];
  /** The name while nobody typed one. */
  name: string;
}

const KINDS: Record<AvailableRater["source"], string> = {
  person: "person",
  adjudication: "decisions",
  judge: "judge",
  rule: "rule",
  import: "imported",
};

/** Combines ratings into a version; at the right what it would hold. */
export function NewRankingSet({ source, raters, name }: Props) {
  const [form, setForm] = useState<RankingForm>(emptyRanking);
  const update = (values: Partial<RankingForm>) => setForm((before) => ({ ...before, ...values }));
  const body = toRankingSet(form, raters, source, name);
  const [settled] = useDebouncedValue(body && JSON.stringify(body), 300);
  const preview = useQuery(
    rankingPreviewOptions(useMemo(() => (settled ? JSON.parse(settled) : null), [settled])),
  );
  const create = useCreateRankingSet();
  const problem = asApiError(preview.error ?? create.error);
  const chosen = chosenRaters(form, raters).map(raterKey);
  const held = preview.data?.statistics;
  return (
    <Panel title="New ranking set" note={preview.isFetching ? "looking" : undefined}>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (body === null) return;
          create.mutate(body, {
            onSuccess: (made) => notifyDone(`${made.name} v${made.version} is stored.`),
          });
        }}
      >
        <div className={classes.fields}>
          <Checkbox.Group
            label="Ratings that count"
            value={chosen}
            onChange={(keys) => update({ raters: keys })}
          >
            <div className={classes.raters}>
              {raters.map((one) => (
                <Checkbox
                  key={raterKey(one)}
                  size="xs"
                  value={raterKey(one)}
                  label={
                    <>
                      <bdi>{one.rater}</bdi>{" "}
                      <span className={classes.dim}>
                        {KINDS[one.source]} · {one.scale} · {count(one.n)}
                      </span>
                    </>
                  }
                />
              ))}
            </div>
          </Checkbox.Group>
          <div className={classes.pair}>
            <Select
              label="Several of one COT"
              allowDeselect={false}
              data={COMBINE}
              value={form.combine}
              onChange={(value) => update({ combine: (value ?? "mean") as RankingForm["combine"] })}
            />
            <Select
              label="Scale"
              allowDeselect={false}
              data={SCALES}
              value={form.scale}
              error={problem?.fieldMessage("settings.scale")}
              onChange={(value) => update({ scale: (value ?? "as-rated") as RankingForm["scale"] })}
            />
            <NumberInput
              label="Tied within"
              min={0}
              max={9}
              step={0.5}
              value={form.tolerance}
              onChange={(tolerance) => update({ tolerance })}
            />
            <NumberInput
              label="Raters at least"
              min={1}
              max={100}
              value={form.minRatings}
              onChange={(minRatings) => update({ minRatings })}
            />
          </div>
          <Switch
            label="A decision counts alone"
            checked={form.adjudicatedFirst}
            onChange={(event) => update({ adjudicatedFirst: event.currentTarget.checked })}
          />
          <TextInput
            label="Name"
            placeholder={name}
            maxLength={120}
            value={form.name}
            onChange={(event) => update({ name: event.currentTarget.value })}
          />
        </div>
        <div className={classes.outcome}>
          {held !== undefined && <RankingStatistics statistics={held} />}
          {problem !== undefined && (
            <Notice level="error" title={problem.title}>
              <p>
                {problem.detail} {problem.remedy}
              </p>
            </Notice>
          )}
          {held !== undefined && held.pairs === 0 && problem === undefined && (
            <Notice level="warning">
              <p>No two COTs of a question differ, so ranking losses have nothing to compare.</p>
            </Notice>
          )}
          <Button
            type="submit"
            variant="light"
            loading={create.isPending}
            disabled={body === null || problem !== undefined || held?.candidates === 0}
          >
            Create version
          </Button>
        </div>
      </form>
    </Panel>
  );
}
