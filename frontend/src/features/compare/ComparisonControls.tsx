import { Button, Select } from "@mantine/core";
import { BlockSelect } from "@/components/BlockSelect";
import { counted } from "@/components/format";
import classes from "./ComparePage.module.css";
import type { CompareState, TestName } from "./compareState";
import type { Comparison } from "./queries";
import { columnsOf, taskOf } from "./rows";

const TESTS: { value: TestName; label: string }[] = [
  { value: "paired-t", label: "Paired t, over seeds" },
  { value: "welch", label: "Welch, over seeds" },
  { value: "bootstrap", label: "Paired bootstrap, over questions" },
  { value: "mcnemar", label: "McNemar, two runs" },
];

const ALL = "";

interface Props {
  comparison: Comparison;
  state: CompareState;
  seeds: readonly number[];
  blocks: readonly { key: string; title: string }[];
  onChange: (change: Partial<CompareState>) => void;
}

/** What is compared with what, and how it is tested. */
export function ComparisonControls({ comparison, state, seeds, blocks, onChange }: Props) {
  const task = taskOf(comparison.tasks, state);
  const hidden = state.hidden.length;
  return (
    <div className={classes.controls}>
      {blocks.length > 1 && (
        <div className={classes.place}>
          <BlockSelect
            blocks={blocks}
            value={comparison.block}
            onChange={(block) => onChange({ block, case: undefined })}
          />
        </div>
      )}
      {comparison.tasks.length > 0 && (
        <Select
          label="Questions"
          data={[
            { value: ALL, label: "of all tasks" },
            ...comparison.tasks.map((one) => ({ value: one, label: one })),
          ]}
          value={task ?? ALL}
          // A column of one task's is none of another's.
          onChange={(one) =>
            onChange({ task: one === ALL || one === null ? undefined : one, sort: undefined })
          }
          allowDeselect={false}
        />
      )}
      <Select
        label="Compare with"
        data={comparison.rows.map((row) => row.method)}
        value={comparison.baseline}
        onChange={(baseline) => onChange({ baseline: baseline ?? undefined })}
        allowDeselect={false}
        placeholder="no baseline"
      />
      <Select
        label="Differences in"
        data={columnsOf(comparison.metrics, task).map((one) => ({
          value: one.measure,
          label: one.name,
        }))}
        value={state.metric}
        onChange={(metric) => metric !== null && onChange({ metric })}
        allowDeselect={false}
      />
      <Select
        label="Test"
        data={TESTS}
        value={state.test}
        onChange={(test) => test !== null && onChange({ test: test as TestName })}
        allowDeselect={false}
      />
      {state.test === "mcnemar" && (
        <Select
          label="Seed"
          data={seeds.map(String)}
          value={String(comparison.seed ?? seeds[0] ?? "")}
          onChange={(seed) => onChange({ seed: seed === null ? undefined : Number(seed) })}
          allowDeselect={false}
          w={88}
        />
      )}
      {comparison.published_choices.length > 0 && (
        <Select
          label="Published values"
          data={comparison.published_choices.map((one) => ({ value: one.key, label: one.title }))}
          value={comparison.published?.key ?? null}
          onChange={(published) => onChange({ published: published ?? undefined })}
          placeholder="none"
          clearable
          searchable
        />
      )}
      {hidden > 0 && (
        <Button variant="default" onClick={() => onChange({ hidden: [] })}>
          Show {counted(hidden, "hidden method")}
        </Button>
      )}
      {state.selected.length > 0 && (
        <Button variant="default" onClick={() => onChange({ selected: [] })}>
          Clear selection
        </Button>
      )}
    </div>
  );
}
