import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { Link, useSearchParams } from "react-router";
import { paths } from "@/app/paths";
import { EmptyState } from "@/components/EmptyState";
import { counted } from "@/components/format";
import { PageHeader } from "@/components/PageHeader";
import classes from "./ComparePage.module.css";
import { ComparisonBody } from "./ComparisonBody";
import { ComparisonExports } from "./ComparisonExports";
import { type CompareState, readState, writeState } from "./compareState";
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
        actions={state.runs.length > 0 && <ComparisonExports experimentId="" state={state} />}
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
          <ComparisonBody
            seeds={[...new Set(seeds)].map(Number).sort((a, b) => a - b)}
            blocks={[]}
            {...shared}
          />
        </div>
      )}
    </>
  );
}
