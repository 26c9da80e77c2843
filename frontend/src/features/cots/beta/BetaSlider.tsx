import { NumberInput, Slider } from "@mantine/core";
import { BETA_MAX, BETA_MIN, DEFAULT_BETA } from "./axis";
import classes from "./Beta.module.css";

interface Props {
  beta: number;
  onChange: (beta: number) => void;
}

// Where a run starts from has a mark without words: beside the one of 0 they would not fit.
const MARKS = [
  { value: DEFAULT_BETA },
  ...[-0.8, -0.4, 0, 0.4, 0.8].map((value) => ({ value, label: String(value) })),
];

/** β by dragging, by arrow keys, or as a number. */
export function BetaSlider({ beta, onChange }: Props) {
  return (
    <div className={classes.slider}>
      <Slider
        className={classes.track}
        thumbLabel="β in nats/token"
        thumbProps={{ "aria-label": "β in nats/token" }}
        min={BETA_MIN}
        max={BETA_MAX}
        step={0.01}
        marks={MARKS}
        label={null}
        value={Math.min(BETA_MAX, Math.max(BETA_MIN, beta))}
        onChange={(value) => onChange(Math.round(value * 100) / 100)}
      />
      <NumberInput
        size="xs"
        w={110}
        label="β (nats/token)"
        min={-5}
        max={5}
        step={0.05}
        decimalScale={3}
        value={beta}
        onChange={(value) => typeof value === "number" && onChange(value)}
      />
    </div>
  );
}
