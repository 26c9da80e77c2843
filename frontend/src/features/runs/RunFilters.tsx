import { SegmentedControl, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { FilterChips } from "@/components/FilterChips";
import { type RunsFilter, tagsOptions } from "./queries";
import classes from "./RunsPage.module.css";
import { KINDS, STATE_CHOICES, type StateGroup } from "./runStates";

interface Props {
  filter: RunsFilter;
  state: StateGroup | null;
  grouped: boolean;
  /** Puts a word of the address; null takes it out. */
  onSet: (name: string, value: string | null) => void;
}

/** Which runs the table shows, and in which order. */
export function RunFilters({ filter, state, grouped, onSet }: Props) {
  const tags = useQuery(tagsOptions());
  const search = useDebouncedCallback((text: string) => onSet("q", text.trim()), 250);
  return (
    <div className={classes.filters}>
      <FilterChips
        label="State"
        choices={STATE_CHOICES}
        value={state}
        onChange={(value) => onSet("state", value)}
      />
      <Select
        aria-label="Kind of run"
        placeholder="Every kind"
        data={KINDS}
        value={filter.kind ?? null}
        onChange={(value) => onSet("kind", value)}
        clearable
        w={150}
      />
      {(tags.data ?? []).length > 0 && (
        <Select
          aria-label="Tag"
          placeholder="Any tag"
          data={(tags.data ?? []).map((one) => one.tag)}
          value={filter.tag ?? null}
          onChange={(value) => onSet("tag", value)}
          clearable
          searchable
          w={150}
        />
      )}
      <TextInput
        aria-label="Search runs by name or id"
        placeholder="Name or id"
        defaultValue={filter.text ?? ""}
        onChange={(event) => search(event.currentTarget.value)}
        w={200}
      />
      <SegmentedControl
        aria-label="Order"
        size="xs"
        data={[
          { value: "grouped", label: "By method" },
          { value: "newest", label: "Newest first" },
        ]}
        value={grouped ? "grouped" : "newest"}
        onChange={(value) => onSet("order", value === "newest" ? value : null)}
      />
    </div>
  );
}
