import type { FigureData } from "./Figure";

/** A width that journals print. */
export interface PaperWidth {
  inches: number;
  name: string;
}

export const PAPER_WIDTHS: readonly PaperWidth[] = [
  { inches: 3.3, name: "one column" },
  { inches: 6.8, name: "two columns" },
];

/** CSS pixels of an inch; fonts of 12 px are 9 pt on paper. */
const PIXELS_PER_INCH = 96;
const TITLE_ROOM = 32;
const LEGEND_ROW = 20;
const LEGEND_ENTRY = 150;

export interface PaperFigure {
  data: unknown[];
  layout: Record<string, unknown> & { width: number; height: number };
}

/** A figure on white paper: every trace at its full strength, with title and, where it has one, legend. */
export function forPaper(
  figure: FigureData,
  title: string,
  { inches }: PaperWidth,
  height: number,
): PaperFigure {
  const source = structuredClone(figure.figure) as {
    data?: unknown[];
    layout?: Record<string, unknown>;
  };
  const data = (source.data ?? []) as { showlegend?: boolean; name?: string }[];
  const width = Math.round(inches * PIXELS_PER_INCH);
  const layout = source.layout ?? {};
  const margin = (layout.margin ?? {}) as { t?: number; b?: number };
  const entries = layout.showlegend === true ? data.filter((one) => one.showlegend !== false) : [];
  const inRow = Math.max(1, Math.floor((width - 72) / LEGEND_ENTRY));
  const legendRoom = Math.ceil(entries.length / inRow) * LEGEND_ROW;
  const size = inches < 5 ? 11 : 12;
  return {
    data,
    layout: {
      ...layout,
      width,
      height: height + TITLE_ROOM + legendRoom,
      paper_bgcolor: "#FFFFFF",
      plot_bgcolor: "#FFFFFF",
      font: { ...(layout.font as object), size },
      title: { text: title, x: 0.02, y: 0.98, yanchor: "top", font: { size: size + 1 } },
      margin: { ...margin, t: (margin.t ?? 16) + TITLE_ROOM, b: (margin.b ?? 48) + legendRoom },
      ...(legendRoom > 0 && {
        legend: { orientation: "h", x: 0, y: 0, yref: "container", yanchor: "bottom" },
      }),
    },
  };
}

/** The bytes of a data URL; fetching one is forbidden by the page's own policy. */
export function blobOf(dataUrl: string): Blob {
  const comma = dataUrl.indexOf(",");
  const head = dataUrl.slice("data:".length, comma);
  const body = dataUrl.slice(comma + 1);
  const type = head.split(";")[0] ?? "";
  if (!head.endsWith(";base64")) return new Blob([decodeURIComponent(body)], { type });
  return new Blob([Uint8Array.from(atob(body), (character) => character.charCodeAt(0))], { type });
}
