import { expect, test } from "vitest";
import { type JsonObject, legendRoom, themed } from "./figureTheme";

const SIZE = { width: 800, height: 320 };
const FIGURE = {
  data: [
    { type: "bar", name: "VFT", marker: { color: "#6B7280", line: { color: "#111827" } } },
    { type: "bar", name: "AFT · detached", marker: { color: "#7FB8D8" } },
  ],
  layout: {
    width: 653,
    showlegend: true,
    font: { color: "#1F2937" },
    margin: { b: 48, l: 56 },
    xaxis: { linecolor: "#6B7280", gridcolor: "#E5E7EB" },
  },
};

const at = (value: unknown, ...path: string[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as JsonObject)[key], value);

test("on a light page the figure keeps its tones on transparent paper", () => {
  const { data, layout } = themed(FIGURE, "light", SIZE);
  expect(at(data[0], "marker", "color")).toBe("#6B7280");
  expect(layout.paper_bgcolor).toBe("rgba(0,0,0,0)");
  expect(layout.width).toBeUndefined();
});

test("on a dark page neutral tones change and a method's colour does not", () => {
  const { data, layout } = themed(FIGURE, "dark", SIZE);
  expect(at(data[0], "marker", "color")).toBe("#6B7280");
  expect(at(data[0], "marker", "line", "color")).toBe("#e4e7ea");
  expect(at(layout, "xaxis", "linecolor")).toBe("#a2abb5");
  expect(at(layout, "font", "color")).toBe("#e4e7ea");
});

test("a half tone is mixed with the page it lies on", () => {
  expect(at(themed(FIGURE, "dark", SIZE).data[1], "marker", "color")).toBe("#0b4567");
});

test("the cached figure is never changed", () => {
  const before = structuredClone(FIGURE);
  const { data, layout } = themed(FIGURE, "dark", SIZE);
  (data[0] as JsonObject).name = "changed";
  (layout.xaxis as JsonObject).range = [0, 1];
  expect(FIGURE).toEqual(before);
});

test("a narrow figure gets room below for its legend", () => {
  const narrow = themed(FIGURE, "light", { width: 320, height: 320 });
  expect(legendRoom(FIGURE, 320)).toBe(28);
  expect(narrow.layout.height).toBe(348);
  expect(at(narrow.layout, "legend", "yref")).toBe("container");
  expect(at(narrow.layout, "margin", "b")).toBe(76);
  expect(legendRoom({ ...FIGURE, layout: { showlegend: false } }, 320)).toBe(0);
  expect(legendRoom(FIGURE, 800)).toBe(0);
});

test("a narrow figure writes long axis titles in lines", () => {
  const figure = {
    data: [],
    layout: { xaxis: { title: { text: "Perplexity of right COTs" } }, xaxis2: {}, yaxis: {} },
  };
  const title = (width: number) =>
    (themed(figure, "light", { width, height: 300 }).layout.xaxis as typeof figure.layout.xaxis)
      .title.text;
  expect(title(358)).toBe("Perplexity of<br>right COTs");
  expect(title(1000)).toBe("Perplexity of right COTs");
});

test("a figure without data or layout is drawn empty, not broken", () => {
  expect(themed({}, "dark", SIZE).data).toEqual([]);
});
