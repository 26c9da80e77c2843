import type { Plotly } from "plotly.js-cartesian-dist-min";

let loading: Promise<Plotly> | undefined;

/** Plotly is large: it is fetched with the first figure, once. */
export function loadPlotly(): Promise<Plotly> {
  loading ??= import("plotly.js-cartesian-dist-min")
    .then((module) => module.default)
    .catch((error: unknown) => {
      loading = undefined; // the next figure tries again
      throw error;
    });
  return loading;
}
