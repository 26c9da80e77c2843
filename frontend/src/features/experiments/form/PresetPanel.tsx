import { SegmentedControl, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { type Preset, presetsOptions } from "../queries";
import { publishedLabel } from "./methods";
import classes from "./PresetPanel.module.css";

type Form = "mini" | "full";

/** The preset that the address names, and in which of its forms. */
export const readPreset = (query: URLSearchParams): { name: string | null; form: Form } => ({
  name: query.get("preset"),
  form: query.get("form") === "full" ? "full" : "mini",
});

const FORMS = [
  { value: "mini", label: "In miniature" },
  { value: "full", label: "As in the paper" },
];

/** A table or figure of the paper to start from; the address holds the choice. */
export function PresetPanel() {
  const [query, setQuery] = useSearchParams();
  const { name, form } = readPreset(query);
  const presets = useQuery(presetsOptions());
  const title = "Start from a table or figure of the paper";
  if (presets.isPending) return <PanelSkeleton title={title} rows={2} />;
  if (presets.isError)
    return (
      <PanelError title={title} error={presets.error} onRetry={() => void presets.refetch()} />
    );
  const choose = (nextName: string | null, nextForm: Form) =>
    setQuery(nextName === null ? {} : { preset: nextName, form: nextForm });
  const preset = presets.data.find((one) => one.name === name);
  return (
    <Panel title={title}>
      <div className={classes.choice}>
        <Select
          aria-label="Table or figure"
          placeholder="None: settings of your own"
          clearable
          searchable
          data={presets.data.map((one) => ({ value: one.name, label: one.title }))}
          value={preset?.name ?? null}
          onChange={(value) => choose(value, form)}
        />
        {preset !== undefined && (
          <SegmentedControl
            size="xs"
            aria-label="Size"
            data={FORMS}
            value={form}
            onChange={(value) => choose(preset.name, value as Form)}
          />
        )}
      </div>
      {name !== null && preset === undefined && (
        <p className={classes.text} role="alert">
          There is no preset “{name}”. Choose one above.
        </p>
      )}
      {preset !== undefined && <About preset={preset} form={form} />}
    </Panel>
  );
}

function About({ preset, form }: { preset: Preset; form: Form }) {
  return (
    <>
      <dl className={classes.about}>
        <dt>The paper</dt>
        <dd>{preset.paper}</dd>
        <dt>Look at</dt>
        <dd>{preset.look_at}</dd>
        <dt>{form === "mini" ? "In miniature" : "To choose"}</dt>
        <dd>
          {form === "mini"
            ? `On the built-in model and task, on a CPU; the plan says for how long. ${preset.miniature}`.trim()
            : "Choose your data set and base model below; the settings are the paper's."}
        </dd>
      </dl>
      {preset.published.length > 0 && <Published preset={preset} />}
    </>
  );
}

/** What the paper printed, a table per model and data set. */
function Published({ preset }: { preset: Preset }) {
  return (
    <details className={classes.published}>
      <summary>Published values</summary>
      {preset.published.map((table) => (
        <table key={table.key} className={classes.table}>
          <caption>{table.title}</caption>
          <tbody>
            {table.values.map((value) => (
              <tr key={`${value.method} ${value.metric}`}>
                <th scope="row">{publishedLabel(value.method)}</th>
                <td>{value.metric.replaceAll("_", " ")}</td>
                <td className={classes.number}>{shown(value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
      <p className={classes.text}>
        {preset.published_source}. Other models on other data: compare the pattern, not the numbers.
      </p>
    </details>
  );
}

type Value = Preset["published"][number]["values"][number];

function shown({ metric, mean, std }: Value): string {
  const [scale, digits, unit] = metric === "perplexity" ? [1, 2, ""] : [100, 1, " %"];
  const spread = std === null ? "" : ` ± ${(scale * std).toFixed(digits)}`;
  return `${(scale * mean).toFixed(digits)}${spread}${unit}`;
}
