import { Select } from "@mantine/core";

interface Props {
  blocks: readonly { key: string; title: string }[];
  value: string | undefined;
  onChange: (key: string) => void;
  label?: string;
}

/** Which data set and model of an experiment is shown; nothing where there is one only. */
export function BlockSelect({ blocks, value, onChange, label = "Data and model" }: Props) {
  if (blocks.length < 2) return null;
  return (
    <Select
      label={label}
      data={blocks.map((one) => ({ value: one.key, label: one.title }))}
      value={value ?? blocks[0]?.key ?? null}
      onChange={(key) => key !== null && onChange(key)}
      allowDeselect={false}
    />
  );
}
