import { Button, Menu } from "@mantine/core";
import { Icon } from "@/components/Icon";

/** Columns that can be left out; state and name are always shown. */
const CHOICES = [
  { id: "tags", label: "Tags" },
  { id: "kind", label: "Kind" },
  { id: "method", label: "Method" },
  { id: "seed", label: "Seed" },
  { id: "progress", label: "Progress" },
  { id: "duration", label: "Time" },
  { id: "created", label: "Created" },
];

interface Props {
  hidden: readonly string[];
  onChange: (hidden: string[]) => void;
}

/** Which columns the table shows. */
export function ColumnMenu({ hidden, onChange }: Props) {
  const toggle = (id: string) =>
    onChange(hidden.includes(id) ? hidden.filter((one) => one !== id) : [...hidden, id]);
  return (
    <Menu position="bottom-end" closeOnItemClick={false} width={180}>
      <Menu.Target>
        <Button variant="default" rightSection={<Icon name="chevron-down" size={14} />}>
          Columns
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {CHOICES.map(({ id, label }) => (
          <Menu.Item
            key={id}
            aria-current={!hidden.includes(id)}
            leftSection={hidden.includes(id) ? <span /> : <Icon name="check" size={14} />}
            onClick={() => toggle(id)}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
