import { Button, Menu } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { Link, useSearchParams } from "react-router";
import { download } from "@/api/download";
import { paths } from "@/app/paths";
import { EmptyState } from "@/components/EmptyState";
import { counted } from "@/components/format";
import { notifyError } from "@/components/notify";
import { PageHeader } from "@/components/PageHeader";
import classes from "./ComparePage.module.css";
import { ComparisonPanel } from "./ComparisonPanel";
import { type CompareState, readState, serverOptions, writeState } from "./compareState";
import { FlipsPanel } from "./FlipsPanel";
import { MoreFigures } from "./MoreFigures";
import { comparisonOptions } from "./queries";

/** Runs of any experiments side by side; the address holds which, and everything that is shown. */
export function ChosenRunsPage() {
  const [query, setQuery] = useSearchParams();
  const state = readState(query);
  const onChange = useCallback(
    (change: Partial<CompareState>) =>
      setQuery((now) => writeState({ ...readState(now), ...change }), { replace: true }),
    [setQuery],
  );
  const comparison = useQuery({
    ...comparisonOptions("", state),
    enabled: state.runs.length > 0,
  });
  const shared = { experimentId: "", state, onChange };
  const seeds = (comparison.data?.rows ?? []).flatMap((row) => Object.keys(row.run_ids));
  return (
    <>
      <PageHeader
        title="Chosen runs"
        parent={{ label: "Compare", to: paths.compare }}
        facts={counted(state.runs.length, "run")}
        actions={state.runs.length > 0 && <Exports state={state} />}
      />
      {state.runs.length === 0 ? (
        <EmptyState
          icon="compare"
          title="No run is chosen"
          action={
            <Button component={Link} to={paths.runs}>
              Choose runs
            </Button>
          }
        >
          Select trainings or evaluations on the Runs page, of any experiment, and press Compare.
        </EmptyState>
      ) : (
        <div className={classes.page}>
          <ComparisonPanel
            seeds={[...new Set(seeds)].map(Number).sort((a, b) => a - b)}
            blocks={[]}
            {...shared}
          />
          {comparison.data !== undefined && <FlipsPanel comparison={comparison.data} {...shared} />}
          {comparison.isError || <MoreFigures {...shared} />}
        </div>
      )}
    </>
  );
}

function Exports({ state }: { state: CompareState }) {
  const clipboard = useClipboard();
  const options = new URLSearchParams(
    Object.entries(serverOptions(state)).map(([name, value]) => [name, String(value)]),
  );
  for (const id of state.runs) options.append("run", id);
  const save = (name: string) =>
    download(`/api/v1/chosen-runs/${name}?${options}`, name).catch(notifyError);
  return (
    <Menu position="bottom-end" width={264}>
      <Menu.Target>
        <Button variant="default">Export</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item closeMenuOnClick={false} onClick={() => clipboard.copy(window.location.href)}>
          {clipboard.copied ? "Copied" : "Copy the link to this view"}
        </Menu.Item>
        <Menu.Item onClick={() => void save("comparison.csv")}>Table, CSV</Menu.Item>
        <Menu.Item onClick={() => void save("comparison.tex")}>Table, LaTeX</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
