import { Button, Checkbox, NumberInput, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import classes from "./Datasets.module.css";
import { type SplitPreset, splitPresetsOptions, useDrawSplit } from "./queries";

const OWN = "own";
const PARTS = [
  ["train", "Train"],
  ["validation", "Validation"],
  ["test", "Test"],
] as const;
type Counts = Record<(typeof PARTS)[number][0], number | string>;

interface Props {
  versionId: string;
  /** Questions of the version as its files mark them. */
  parts: Record<string, number>;
  onDrawn?: () => void;
}

/** Draws a split of a version: the paper's numbers where there are enough questions, or one's own. */
export function DrawSplit({ versionId, parts, onDrawn }: Props) {
  const presets = useQuery(splitPresetsOptions(versionId));
  if (presets.isPending) return <PanelSkeleton rows={3} />;
  if (presets.isError)
    return <PanelError error={presets.error} onRetry={() => void presets.refetch()} />;
  return (
    <Form versionId={versionId} parts={parts} presets={presets.data} onDrawn={() => onDrawn?.()} />
  );
}

function Form(props: Required<Props> & { presets: SplitPreset[] }) {
  const { versionId, parts, presets, onDrawn } = props;
  const [how, setHow] = useState(presets.find((preset) => preset.possible)?.name ?? OWN);
  const [counts, setCounts] = useState<Counts>(() => proposal(parts));
  const [seed, setSeed] = useState<number | string>(0);
  const [fewer, setFewer] = useState(true);
  const [name, setName] = useState("");
  const draw = useDrawSplit(versionId);
  const unfit = presets.filter((preset) => !preset.possible);
  const asked = PARTS.reduce((sum, [part]) => sum + Number(counts[part]), 0);
  const submit = () =>
    draw.mutate(
      {
        name: name.trim() === "" ? null : name.trim(),
        spec:
          how === OWN
            ? {
                seed: Number(seed),
                train: Number(counts.train),
                validation: Number(counts.validation),
                test: Number(counts.test),
                allow_fewer: fewer,
              }
            : { preset: how, seed: Number(seed), allow_fewer: false },
      },
      {
        onSuccess: () => {
          setName("");
          onDrawn();
        },
      },
    );
  return (
    <form
      aria-label="Draw a split"
      className={classes.page}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className={classes.fields}>
        <Select
          label="Numbers"
          allowDeselect={false}
          data={[
            ...presets.map(({ name: value, title, possible }) => ({
              value,
              label: title,
              disabled: !possible,
            })),
            { value: OWN, label: "numbers of your own" },
          ]}
          value={how}
          onChange={(value) => setHow(value ?? OWN)}
        />
        {how === OWN &&
          PARTS.map(([part, label]) => (
            <NumberInput
              key={part}
              label={label}
              min={0}
              allowDecimal={false}
              value={counts[part]}
              onChange={(value) => setCounts((before) => ({ ...before, [part]: value }))}
            />
          ))}
        <NumberInput
          label="Seed"
          min={0}
          allowDecimal={false}
          value={seed}
          onChange={(value) => setSeed(value)}
        />
        <TextInput
          label="Name"
          placeholder="from its numbers"
          maxLength={120}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      </div>
      {how === OWN && (
        <Checkbox
          label="Take what there is where a part has fewer questions"
          description="Repeated questions are drawn once, and none for training that is tested on."
          checked={fewer}
          onChange={(event) => setFewer(event.currentTarget.checked)}
        />
      )}
      {unfit.map((preset) => (
        <p key={preset.name} className={classes.dim}>
          Not possible here: {preset.title}. {preset.reason}
        </p>
      ))}
      {draw.isError && <PanelError error={draw.error} />}
      <div>
        <Button
          type="submit"
          variant="default"
          loading={draw.isPending}
          disabled={seed === "" || (how === OWN && asked === 0)}
        >
          Draw the split
        </Button>
      </div>
    </form>
  );
}

/** What the files mark as test is tested on; a tenth of the rest, where nothing is marked, validates. */
function proposal(parts: Record<string, number>): Counts {
  const { train = 0, validation = 0, test = 0, unmarked = 0 } = parts;
  const tested = test > 0 ? test : Math.round(unmarked / 5);
  const rest = train + unmarked - (test > 0 ? 0 : tested);
  const validating = validation > 0 ? validation : Math.round(rest / 10);
  return {
    train: rest - (validation > 0 ? 0 : validating),
    validation: validating,
    test: tested,
  };
}
