import { Select } from "@mantine/core";
import { DiffText } from "@/components/DiffText";
import { Panel } from "@/components/Panel";
import { letterOf } from "./assessment/pairs";
import classes from "./CotsPage.module.css";
import type { QuestionGroup } from "./queries";

interface Props {
  group: QuestionGroup;
  /** What the URL says: a candidate's id or "reference". */
  one: string | undefined;
  other: string | undefined;
  onChange: (values: Record<string, string | null>) => void;
}

const REFERENCE = "reference";

/** Any two of a question's COTs and its reference, word by word. */
export function DiffView({ group, one, other, onChange }: Props) {
  const texts = new Map<string, { label: string; text: string }>([
    ...group.candidates.map(
      (candidate, index) =>
        [
          String(candidate.id),
          { label: `${letterOf(index)} · ${candidate.verdict}`, text: candidate.text },
        ] as const,
    ),
    [REFERENCE, { label: "Reference", text: group.reference }] as const,
  ]);
  const first = one !== undefined && texts.has(one) ? one : String(group.candidates[0]?.id);
  const second = other !== undefined && texts.has(other) ? other : REFERENCE;
  const data = [...texts].map(([value, { label }]) => ({ value, label }));
  const here = texts.get(first);
  const there = texts.get(second);
  return (
    <Panel
      title="Word by word"
      note="underlined: only in the first · struck out: only in the second"
    >
      <div className={classes.choices}>
        <Select
          label="First"
          size="xs"
          w={180}
          allowDeselect={false}
          data={data}
          value={first}
          onChange={(value) => onChange({ one: value })}
        />
        <Select
          label="Second"
          size="xs"
          w={180}
          allowDeselect={false}
          data={data}
          value={second}
          onChange={(value) => onChange({ other: value })}
        />
      </div>
      {here !== undefined && there !== undefined && (
        <DiffText here={here.text} there={there.text} thereName={there.label} />
      )}
    </Panel>
  );
}
