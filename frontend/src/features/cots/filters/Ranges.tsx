import { Button, NumberInput, Popover } from "@mantine/core";
import { Fragment } from "react";
import { Icon } from "@/components/Icon";
import type { ListFilter } from "../queries";
import classes from "./FilterBar.module.css";

type Bound = Extract<keyof ListFilter, `min_${string}` | `max_${string}`>;

interface Range {
  label: string;
  unit: string;
  low?: Bound;
  high?: Bound;
  step: number;
  scored?: boolean;
}

const RANGES: Range[] = [
  { label: "Length", unit: "tokens", low: "min_tokens", high: "max_tokens", step: 10 },
  {
    label: "Score",
    unit: "nats/token",
    low: "min_score",
    high: "max_score",
    step: 0.1,
    scored: true,
  },
  {
    label: "Margin",
    unit: "nats/token",
    low: "min_margin",
    high: "max_margin",
    step: 0.1,
    scored: true,
  },
  { label: "Rating", unit: "0 to 1", low: "min_rating", high: "max_rating", step: 0.1 },
  { label: "Disagreement", unit: "0 to 1", low: "min_disagreement", step: 0.1 },
];

interface Props {
  filter: ListFilter;
  hasScores: boolean;
  change: (values: Record<string, string | null>) => void;
}

/** Lowest and highest length, score, margin and rating. */
export function Ranges({ filter, hasScores, change }: Props) {
  const shown = RANGES.filter((range) => hasScores || range.scored !== true);
  const set = shown.flatMap(({ low, high }) =>
    [low, high].filter((name) => name !== undefined && filter[name] !== undefined),
  ).length;
  const input = (range: Range, name: Bound | undefined, what: string) =>
    name === undefined ? (
      <span />
    ) : (
      <NumberInput
        size="xs"
        hideControls
        aria-label={`${range.label}, ${what}`}
        placeholder={what}
        step={range.step}
        value={filter[name] ?? ""}
        onChange={(value) => change({ [name]: value === "" ? null : String(value) })}
      />
    );
  return (
    <Popover position="bottom-start" trapFocus withinPortal>
      <Popover.Target>
        <Button size="xs" variant="default" leftSection={<Icon name="filter" size={14} />}>
          Ranges{set > 0 ? ` · ${set}` : ""}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <fieldset className={classes.ranges}>
          <legend className="visually-hidden">Ranges</legend>
          {shown.map((range) => (
            <Fragment key={range.label}>
              <span>
                {range.label} <span className={classes.unit}>{range.unit}</span>
              </span>
              {input(range, range.low, "at least")}
              {input(range, range.high, "at most")}
            </Fragment>
          ))}
        </fieldset>
      </Popover.Dropdown>
    </Popover>
  );
}
