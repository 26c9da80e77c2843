import { Button, Menu } from "@mantine/core";
import { Icon } from "@/components/Icon";
import type { CandidateSet, ListFilter } from "./queries";
import { countFilters, exportHref } from "./selection";

const FORMATS: { label: string; items: [label: string, query: Record<string, string>][] }[] = [
  {
    label: "COTs with scores and ratings",
    items: [
      ["JSON lines", { format: "jsonl" }],
      ["Parquet", { format: "parquet" }],
      ["CSV", { format: "csv" }],
    ],
  },
  {
    label: "Preferences, right over the rest",
    items: [
      ["TRL pairs", { format: "trl-pairs" }],
      ["Ranked lists", { format: "ranked" }],
      ["LLaMA-Factory pairs", { format: "llama-factory" }],
    ],
  },
];
const BY_RATING: [string, Record<string, string>][] = [
  ["TRL pairs", { format: "trl-pairs", quality: "rating" }],
  ["Ranked lists", { format: "ranked", quality: "rating" }],
  ["LLaMA-Factory pairs", { format: "llama-factory", quality: "rating" }],
];

/** Files of what passes the filters; each comes as a ZIP archive with a manifest. */
export function ExportMenu({ set, filter }: { set: CandidateSet; filter: ListFilter }) {
  const groups =
    (set.counts.rated ?? 0) > 0
      ? [...FORMATS, { label: "Preferences by rating", items: BY_RATING }]
      : FORMATS;
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button size="xs" variant="default" leftSection={<Icon name="download" size={14} />}>
          Export {countFilters(filter) > 0 ? "matching" : "all"}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {groups.map((group) => (
          <div key={group.label}>
            <Menu.Label>{group.label}</Menu.Label>
            {group.items.map(([label, query]) => (
              <Menu.Item
                key={label}
                component="a"
                href={exportHref(set.run_id, filter, query)}
                download
              >
                {label}
              </Menu.Item>
            ))}
          </div>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
