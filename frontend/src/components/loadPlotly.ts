import type { Plotly } from "plotly.js-basic-dist-min";

let loading: Promise<Plotly> | undefined;

/** Plotly is large: it is fetched with the first figure, once. Its basic bundle has the bars and lines we draw. */
export function loadPlotly(): Promise<Plotly> {
  loading ??= import("plotly.js-basic-dist-min")
    .then((module) => module.default)
    .catch((error: unknown) => {
      loading = undefined; // the next figure tries again
      throw error;
    });
  return loading;
}
