/**
 * Figures are made for white paper. On a dark page their neutral tones are exchanged, and nothing else:
 * a colour that means a method or a verdict stays what it is.
 */
export type Scheme = "light" | "dark";
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

const DARK_PAGE = "#16191c";
const FAMILY_TONES = [
  "#6b7280",
  "#56b4e9",
  "#0072b2",
  "#e69f00",
  "#cc79a7",
  "#6a3d9a",
  "#009e73",
] as const;

// VFT's grey #6B7280 is missing on purpose: in the data it means a method.
const DATA_ON_DARK: Record<string, string> = {
  "#ffffff": DARK_PAGE,
  "#000000": "#e4e7ea",
  "#111827": "#e4e7ea",
  "#1f2937": "#e4e7ea",
  // A half tone lies between the method's colour and the paper, whatever the paper's.
  ...Object.fromEntries(
    FAMILY_TONES.map((tone) => [mixed(tone, "#ffffff"), mixed(tone, DARK_PAGE)]),
  ),
};
const LAYOUT_ON_DARK: Record<string, string> = {
  ...DATA_ON_DARK,
  "#6b7280": "#a2abb5",
  "#e5e7eb": "#2a2f35",
};

const HOVER: Record<Scheme, JsonObject> = {
  light: { bgcolor: "#ffffff", bordercolor: "#c9ced5", font: { color: "#171b20", size: 12 } },
  dark: { bgcolor: "#2a2f35", bordercolor: "#3d444c", font: { color: "#e4e7ea", size: 12 } },
};

const NARROW = 520;
const LEGEND_ENTRY_WIDTH = 150;
const LEGEND_ROW_HEIGHT = 20;
/** Characters in a line of an axis title on a narrow page. */
const TITLE_LINE = 18;

export interface FigureJson {
  data: JsonObject[];
  layout: JsonObject;
}

/** Pixels that a narrow figure needs below its axis for a legend that has no room above it. */
export function legendRoom(figure: Record<string, unknown>, width: number): number {
  const layout = isObject(figure.layout) ? figure.layout : {};
  if (width >= NARROW || layout.showlegend !== true) return 0;
  const entries = tracesOf(figure).filter((trace) => trace.showlegend !== false).length;
  const inRow = Math.max(1, Math.floor(width / LEGEND_ENTRY_WIDTH));
  return Math.ceil(entries / inRow) * LEGEND_ROW_HEIGHT + 8;
}

/** Whether the figure has a single point to draw. */
export function isEmpty(figure: Record<string, unknown>): boolean {
  const held = (value: unknown) => {
    // A long series comes packed: {dtype, bdata}.
    if (isObject(value)) return typeof value.bdata === "string" && value.bdata !== "";
    return Array.isArray(value) && value.some((one) => one !== null);
  };
  return tracesOf(figure).every((trace) => !held(trace.y) && !held(trace.x) && !held(trace.z));
}

/** A server figure as Plotly draws it on this page: transparent paper, the page's neutral tones. */
export function themed(
  figure: Record<string, unknown>,
  scheme: Scheme,
  { width, height }: { width: number; height: number },
): FigureJson {
  // Plotly writes into what it is given; the query cache must not change under its readers.
  const data = structuredClone(tracesOf(figure));
  const layout = structuredClone(isObject(figure.layout) ? figure.layout : {}) as JsonObject;
  delete layout.width;
  const dark = scheme === "dark";
  const below = legendRoom(figure, width);
  return {
    data: dark ? (exchange(data, DATA_ON_DARK) as JsonObject[]) : data,
    layout: {
      ...(dark ? (exchange(layout, LAYOUT_ON_DARK) as JsonObject) : layout),
      ...(width < NARROW ? wrappedTitles(layout) : {}),
      ...(below > 0 ? legendBelow(layout, below) : {}),
      autosize: true,
      height: height + below,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      hoverlabel: HOVER[scheme],
      // Redrawing with newer numbers keeps what the reader has zoomed to or hidden.
      uirevision: "kept",
    },
  };
}

/** Long titles of horizontal axes in lines: names beside the plot leave it a third of a telephone's width. */
function wrappedTitles(layout: JsonObject): JsonObject {
  const axes = Object.entries(layout).filter(([key]) => key.startsWith("xaxis"));
  return Object.fromEntries(
    axes.map(([key, axis]) => {
      if (!isObject(axis) || !isObject(axis.title) || typeof axis.title.text !== "string")
        return [key, axis];
      return [key, { ...axis, title: { ...axis.title, text: inLines(axis.title.text) } }] as [
        string,
        Json,
      ];
    }),
  ) as JsonObject;
}

function inLines(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < TITLE_LINE)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join("<br>");
}

function legendBelow(layout: JsonObject, room: number): JsonObject {
  const margin = isObject(layout.margin) ? (layout.margin as JsonObject) : {};
  const bottom = typeof margin.b === "number" ? margin.b : 48;
  return {
    legend: { orientation: "h", x: 0, y: 0, yref: "container", yanchor: "bottom" },
    margin: { ...margin, b: bottom + room },
  };
}

function mixed(tone: string, ground: string): string {
  const part = (hex: string, at: number) => Number.parseInt(hex.slice(at, at + 2), 16);
  const half = (at: number) =>
    ((part(tone, at) + part(ground, at)) >> 1).toString(16).padStart(2, "0");
  return `#${half(1)}${half(3)}${half(5)}`;
}

function exchange(value: Json, tones: Record<string, string>): Json {
  if (typeof value === "string") return tones[value.toLowerCase()] ?? value;
  if (Array.isArray(value)) return value.map((item) => exchange(item, tones));
  if (isObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, exchange(item as Json, tones)]),
    );
  return value;
}

const tracesOf = (figure: Record<string, unknown>): JsonObject[] =>
  (Array.isArray(figure.data) ? figure.data : []) as JsonObject[];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
