import { useQuery } from "@tanstack/react-query";
import { CasePanel } from "./CasePanel";
import { ComparisonPanel } from "./ComparisonPanel";
import type { CompareState } from "./compareState";
import { FlipsPanel } from "./FlipsPanel";
import { MoreFigures } from "./MoreFigures";
import { comparisonOptions } from "./queries";

interface Props {
  experimentId: string;
  seeds: readonly number[];
  blocks: readonly { key: string; title: string }[];
  state: CompareState;
  onChange: (change: Partial<CompareState>) => void;
}

/** The table, the figures and the questions, of an experiment or of chosen runs. */
export function ComparisonBody({ seeds, blocks, ...shared }: Props) {
  const comparison = useQuery(comparisonOptions(shared.experimentId, shared.state));
  const rows = comparison.data?.rows ?? [];
  return (
    <>
      <ComparisonPanel seeds={seeds} blocks={blocks} {...shared} />
      {comparison.data !== undefined && <FlipsPanel comparison={comparison.data} {...shared} />}
      {comparison.isError || <MoreFigures {...shared} />}
      {rows.some((row) => (row.statistics.task_accuracy?.n ?? 0) > 0) && <CasePanel {...shared} />}
    </>
  );
}
