import { Button, NumberInput, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { PanelError } from "@/components/PanelError";
import classes from "./Models.module.css";
import { datasetsOptions, useMakeTiny } from "./queries";

// Only the bounds that a typed number can break; the server says when sizes do not fit together.
const SIZES = [
  { key: "layers", label: "Layers", start: 2, least: 1 },
  { key: "hidden_size", label: "Hidden size", start: 64, least: 16 },
  { key: "heads", label: "Heads", start: 2, least: 1 },
  { key: "mlp_size", label: "MLP size", start: 192, least: 16 },
  { key: "vocab_size", label: "Most tokens of the vocabulary", start: 2048, least: 261 },
  { key: "window", label: "Window (tokens)", start: 1024, least: 64 },
  { key: "seed", label: "Seed of the weights", start: 0, least: 0 },
] as const;
type Sizes = Record<(typeof SIZES)[number]["key"], number | string>;
const START = Object.fromEntries(SIZES.map(({ key, start }) => [key, start])) as Sizes;

/** Has a tiny Llama made, with a tokenizer trained on the questions that the data set trains on. */
export function MakeTiny(props: { name: string; onMade: () => void; children: ReactNode }) {
  const { name, onMade, children } = props;
  const [versionId, setVersionId] = useState<string | null>(null);
  const [sizes, setSizes] = useState<Sizes>(START);
  const datasets = useQuery(datasetsOptions());
  const make = useMakeTiny();
  const unread = SIZES.some(({ key }) => sizes[key] === "");
  return (
    <>
      <p className={classes.about}>
        It has learned nothing yet: use it to try data and settings, and expect an accuracy near
        zero.
      </p>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (versionId === null) return;
          const numbers = SIZES.map(({ key }) => [key, Number(sizes[key])]);
          make.mutate(
            { name, dataset_version_id: versionId, sizes: Object.fromEntries(numbers) },
            { onSuccess: onMade },
          );
        }}
      >
        {children}
        <Select
          label="Tokenizer from"
          placeholder="a data set"
          data={(datasets.data ?? []).flatMap((one) =>
            one.newest === null
              ? []
              : [{ value: one.newest.id, label: `${one.name} v${one.newest.number}` }],
          )}
          value={versionId}
          onChange={setVersionId}
        />
        {SIZES.map(({ key, label, least }) => (
          <NumberInput
            key={key}
            label={label}
            min={least}
            allowDecimal={false}
            value={sizes[key]}
            onChange={(value) => setSizes((before) => ({ ...before, [key]: value }))}
          />
        ))}
        <Button
          type="submit"
          variant="default"
          loading={make.isPending}
          disabled={name.trim() === "" || versionId === null || unread}
        >
          Make model
        </Button>
      </form>
      {datasets.isError && <PanelError error={datasets.error} />}
      {make.isError && <PanelError error={make.error} />}
    </>
  );
}
