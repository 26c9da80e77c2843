import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { FilterChips } from "@/components/FilterChips";
import { count, pValue } from "@/components/format";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { cotsAt } from "./addresses";
import type { CompareState } from "./compareState";
import classes from "./FlipsPanel.module.css";
import { type Comparison, type FlipKind, type Flips, flipsOptions } from "./queries";

interface Props {
  experimentId: string;
  comparison: Comparison;
  state: CompareState;
  onChange: (change: Partial<CompareState>) => void;
}

/** Which test questions a method fixed and which it broke, each leading to both answers. */
export function FlipsPanel({ experimentId, comparison, state, onChange }: Props) {
  const [kind, setKind] = useState<FlipKind>("fixed");
  const others = comparison.rows.filter(
    (row) => !row.is_baseline && (row.statistics.task_accuracy?.n ?? 0) > 0,
  );
  const chosen =
    others.find((row) => row.method === (state.flips ?? state.selected[0])) ?? others[0];
  if (comparison.baseline === null || chosen === undefined) return null;
  return (
    <Panel
      title="Question by question"
      note={`against ${comparison.baseline}`}
      actions={
        <Select
          aria-label="Method"
          data={others.map((row) => row.method)}
          value={chosen.method}
          onChange={(method) => method !== null && onChange({ flips: method })}
          allowDeselect={false}
          size="xs"
          w={168}
        />
      }
      flush
    >
      <FlipsOf
        key={chosen.method}
        experimentId={experimentId}
        method={chosen.method}
        state={state}
        kind={kind}
        onKind={setKind}
      />
    </Panel>
  );
}

interface FlipsProps {
  experimentId: string;
  method: string;
  state: CompareState;
  kind: FlipKind;
  onKind: (kind: FlipKind) => void;
}

function FlipsOf({ experimentId, method, state, kind, onKind }: FlipsProps) {
  const flips = useQuery(flipsOptions(experimentId, state, method, kind));
  if (flips.isPending) return <PanelSkeleton height={344} />;
  if (flips.isError)
    return <PanelError error={flips.error} onRetry={() => void flips.refetch()} height={344} />;
  const found = flips.data;
  return (
    <>
      <div className={classes.summary}>
        <FilterChips
          label="Which questions"
          choices={[
            { value: "fixed", label: "Fixed", count: found.fixed },
            { value: "broken", label: "Broken", count: found.broken },
          ]}
          value={kind}
          onChange={(value) => onKind(value ?? kind)}
        />
        <span className={classes.facts}>
          seed {found.seed}; {count(found.both_right)} right and {count(found.both_wrong)} wrong
          under both; McNemar p {pValue(found.p_value)}
        </span>
      </div>
      <Balance flips={found} />
      <ul className={classes.list}>
        {found.items.map((item) => (
          <li key={item.example_id}>
            <Link
              className={classes.item}
              to={cotsAt(experimentId, state, found.method_run_id, item.example_id)}
            >
              <span className={classes.question}>{item.question}</span>
              <span className={classes.answers}>
                gold {item.gold} · {item.before ?? "no answer"} → {item.after ?? "no answer"}
              </span>
              <span className={classes.seeds}>
                right under {item.seeds_before} → {item.seeds_after} of {found.seeds.length} seeds
              </span>
            </Link>
          </li>
        ))}
        {found.items.length === 0 && <li className={classes.none}>No question was {kind}.</li>}
      </ul>
    </>
  );
}

/** Fixed against broken as two lengths of one scale. */
function Balance({ flips }: { flips: Flips }) {
  const most = Math.max(flips.fixed, flips.broken, 1);
  return (
    <div className={classes.balance} aria-hidden="true">
      <span className={classes.broken} style={{ width: `${(50 * flips.broken) / most}%` }} />
      <span className={classes.fixed} style={{ width: `${(50 * flips.fixed) / most}%` }} />
    </div>
  );
}
