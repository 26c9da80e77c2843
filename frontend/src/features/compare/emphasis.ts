import type { FigureData } from "@/components/Figure";

/** Opacity of what is not selected: still there to compare with. */
const FAINT = 0.14;

interface Trace {
  meta?: { method?: unknown };
  opacity?: number;
}

// "none", not "skip": a faint bar shows no label and can still be clicked.
/** The figure with everything faint that belongs to a method which is not selected; all as it is with none selected. */
export function emphasised(figure: FigureData, selected: readonly string[]): FigureData {
  if (selected.length === 0) return figure;
  const traces = Array.isArray(figure.figure.data) ? (figure.figure.data as Trace[]) : [];
  const data = traces.map((trace) => {
    const method = trace.meta?.method;
    if (typeof method !== "string" || selected.includes(method)) return trace;
    return { ...trace, opacity: FAINT * (trace.opacity ?? 1), hoverinfo: "none" };
  });
  return { ...figure, figure: { ...figure.figure, data } };
}

/** The method a clicked point belongs to, and its run if it is a seed's dot. */
export function pointTarget(point: { meta: unknown; customdata: unknown }): {
  method: string | undefined;
  run: string | undefined;
} {
  const meta = point.meta as { method?: unknown; part?: unknown } | null | undefined;
  const method = typeof meta?.method === "string" ? meta.method : undefined;
  const run = Array.isArray(point.customdata) ? point.customdata[1] : undefined;
  return { method, run: meta?.part === "seed" && typeof run === "string" ? run : undefined };
}
