import { paths } from "@/app/paths";
import { type CompareState, serverOptions } from "./compareState";

/** Where the server has the comparison of an experiment, or of chosen runs. */
export const comparedAt = (experimentId: string, { runs }: CompareState): string =>
  runs.length > 0 ? "/api/v1/chosen-runs" : `/api/v1/experiments/${experimentId}`;

/** A file of the comparison as it is shown. */
export function comparedFile(experimentId: string, state: CompareState, name: string): string {
  const query = new URLSearchParams(
    Object.entries(serverOptions(state)).map(([key, value]) => [key, String(value)]),
  );
  for (const id of state.runs) query.append("run", id);
  return `${comparedAt(experimentId, state)}/${name}?${query}`;
}

/** The COTs of one question under a run; chosen runs have no experiment whose COTs these are. */
export const cotsAt = (
  experimentId: string,
  { runs }: CompareState,
  runId: string,
  exampleId: number,
): string =>
  runs.length > 0
    ? paths.cotSet(runId, { question: String(exampleId) })
    : paths.cotsOf(experimentId, { set: runId, question: String(exampleId) });
