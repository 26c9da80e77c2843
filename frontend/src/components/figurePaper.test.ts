import { describe, expect, it } from "vitest";
import type { FigureData } from "./Figure";
import { blobOf, forPaper, PAPER_WIDTHS } from "./figurePaper";

const figure = (showlegend: boolean): FigureData => ({
  title: "t",
  description: "d",
  columns: [],
  rows: [],
  figure: {
    data: Array.from({ length: 10 }, (_, index) => ({ name: `${index}` })),
    layout: { showlegend, margin: { t: 16, b: 48 }, font: { family: "serif" } },
  },
});
const [narrow, wide] = PAPER_WIDTHS as [(typeof PAPER_WIDTHS)[0], (typeof PAPER_WIDTHS)[0]];

describe("a figure on paper", () => {
  it("has a journal's width, white ground and its title", () => {
    const { layout } = forPaper(figure(false), "Task accuracy", wide, 300);
    expect(layout.width).toBe(653);
    expect(layout.paper_bgcolor).toBe("#FFFFFF");
    expect(layout.title).toMatchObject({ text: "Task accuracy" });
    expect(layout.font).toMatchObject({ family: "serif", size: 12 });
  });
  it("makes room for its legend below, more where it is narrow", () => {
    const [one, two] = [narrow, wide].map((width) => forPaper(figure(true), "t", width, 300));
    expect(one?.layout.height).toBeGreaterThan(two?.layout.height ?? 0);
    expect(forPaper(figure(false), "t", wide, 300).layout.height).toBe(332);
  });
  it("leaves what the page shows as it was", () => {
    const data = figure(true);
    forPaper(data, "t", narrow, 300);
    expect(data).toEqual(figure(true));
  });
});

it("a data URL becomes a file, encoded either way", async () => {
  const svg = blobOf(`data:image/svg+xml,${encodeURIComponent("<svg>β</svg>")}`);
  expect([svg.type, await svg.text()]).toEqual(["image/svg+xml", "<svg>β</svg>"]);
  const png = blobOf(`data:image/png;base64,${btoa("PNG")}`);
  expect([png.type, await png.text()]).toEqual(["image/png", "PNG"]);
});
