import { Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { type RefObject, useEffect, useState } from "react";
import { FilterChips } from "@/components/FilterChips";
import { Icon } from "@/components/Icon";
import type { CandidateSet, VerdictName } from "../queries";
import { countFilters, FILTERS, type Selection, SORTS } from "../selection";
import classes from "./FilterBar.module.css";
import { Ranges } from "./Ranges";

const VERDICTS: VerdictName[] = ["right", "wrong", "unparsed", "truncated"];

interface Props {
  set: CandidateSet;
  selection: Selection;
  change: (values: Record<string, string | null>) => void;
  searchRef: RefObject<HTMLInputElement | null>;
}

/** Filters as chips with the set's counts, ranges, search and order. */
export function FilterBar({ set, selection, change, searchRef }: Props) {
  const { filter, view, sort, descending } = selection;
  const model = set.models.find((one) => one.model_run_id === filter.model);
  const flag = (name: string, label: string, count: number | undefined, shown: boolean) =>
    shown && (
      <FilterChips
        label={label}
        choices={[{ value: "1", label, count: count ?? null }]}
        value={filter[name as "rated"] === true ? "1" : null}
        onChange={(value) => change({ [name]: value })}
      />
    );
  const sorts = Object.entries(SORTS[view] as Record<string, { label: string; scored?: boolean }>)
    .filter(([, one]) => one.scored !== true || model !== undefined)
    .map(([value, one]) => ({ value, label: one.label }));
  const sources = Object.entries(set.sources);
  return (
    <search className={classes.bar} aria-label="Filters">
      <Search value={filter.q} inputRef={searchRef} onChange={(q) => change({ q })} />
      <FilterChips
        label="Verdict"
        choices={VERDICTS.map((verdict) => ({
          value: verdict,
          label: verdict,
          count: set.counts[verdict] ?? 0,
        }))}
        value={filter.verdict ?? null}
        onChange={(value) => change({ verdict: value })}
      />
      {flag("violated", "in a violated pair", model?.n_violated, model !== undefined)}
      {flag("duplicate", "duplicate", set.counts.duplicate, (set.counts.duplicate ?? 0) > 0)}
      {flag("rated", "rated", set.counts.rated, (set.counts.rated ?? 0) > 0)}
      {(set.counts.disagreed ?? 0) > 0 && (
        <FilterChips
          label="Raters"
          choices={[
            { value: "0.001", label: "raters disagree", count: set.counts.disagreed ?? null },
          ]}
          value={filter.min_disagreement === 0.001 ? "0.001" : null}
          onChange={(value) => change({ min_disagreement: value })}
        />
      )}
      {sources.length > 1 && (
        <Select
          aria-label="Model"
          size="xs"
          w={220}
          clearable
          searchable
          placeholder="Any model"
          value={filter.source_model ?? null}
          data={sources.map(([name, n]) => ({ value: name, label: `${name} · ${n}` }))}
          onChange={(value) => change({ source_model: value })}
        />
      )}
      <Ranges filter={filter} hasScores={model !== undefined} change={change} />
      <Select
        aria-label="Order"
        size="xs"
        w={170}
        allowDeselect={false}
        leftSection={<Icon name="sort" size={14} />}
        value={sort}
        data={sorts}
        onChange={(value) => change({ sort: value === "position" ? null : value, order: null })}
      />
      <Button
        size="xs"
        variant="default"
        aria-label={descending === true ? "Turn the order: lowest first" : "Turn the order"}
        onClick={() => change({ order: turned(sort, descending) })}
      >
        <Icon name={isDescending(sort, descending) ? "arrow-down" : "arrow-up"} size={14} />
      </Button>
      {countFilters(filter) > 0 && (
        <Button
          size="xs"
          variant="subtle"
          onClick={() => change(Object.fromEntries(FILTERS.map((name) => [name, null])))}
        >
          Clear filters
        </Button>
      )}
    </search>
  );
}

/** Orders that begin with the lowest value unless turned. */
const ASCENDING = ["position", "margin", "right"];

const isDescending = (sort: string, descending: boolean | undefined): boolean =>
  descending ?? !ASCENDING.includes(sort);

const turned = (sort: string, descending: boolean | undefined): string =>
  isDescending(sort, descending) ? "asc" : "desc";

interface SearchProps {
  value: string | undefined;
  inputRef: RefObject<HTMLInputElement | null>;
  onChange: (value: string) => void;
}

function Search({ value = "", inputRef, onChange }: SearchProps) {
  const [text, setText] = useState(value);
  const tell = useDebouncedCallback((next: string) => onChange(next.trim()), 300);
  // Back, a saved view or `Clear filters` change the address from outside.
  useEffect(() => setText((before) => (before.trim() === value ? before : value)), [value]);
  return (
    <TextInput
      ref={inputRef}
      className={classes.search ?? ""}
      size="xs"
      aria-label="Search questions and COTs"
      placeholder='Search: words, "a phrase", begin*'
      leftSection={<Icon name="search" size={14} />}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        tell(event.currentTarget.value);
      }}
      onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
    />
  );
}
