import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { renderPage } from "@/test/render";
import { Figure } from "./Figure";

const plotly = vi.hoisted(() => ({ react: vi.fn(), purge: vi.fn() }));
vi.mock("plotly.js-basic-dist-min", () => ({ default: plotly }));

type Click = (event: { points: unknown[] }) => void;
let click: Click = () => {};

beforeEach(() => {
  plotly.react.mockImplementation(async (element: HTMLElement) =>
    Object.assign(element, {
      on: (_event: string, listener: Click) => {
        click = listener;
      },
      removeAllListeners: () => {},
    }),
  );
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(600);
});

const FIGURE = {
  title: "Task accuracy",
  description: "Accuracy on the test split by method.",
  figure: { data: [{ type: "bar", x: ["VFT", "PRO · none"], y: [32.5, null] }], layout: {} },
  columns: ["Method", "Mean (%)"],
  rows: [
    ["VFT", 32.5],
    ["PRO · none", null],
  ],
};

test("the figure is drawn at the panel's width and says in words what it shows", async () => {
  renderPage(<Figure figure={FIGURE} height={300} />);
  await waitFor(() => expect(plotly.react).toHaveBeenCalled());
  expect(plotly.react.mock.calls[0]?.[2]).toMatchObject({ width: 600, height: 300 });
  expect(screen.getByRole("img", { name: "Task accuracy" })).toHaveAccessibleDescription(
    /Accuracy on the test split/,
  );
});

test("its numbers can be read as a table, with a dash for what is missing", async () => {
  renderPage(<Figure figure={FIGURE} />);
  await userEvent.click(screen.getByRole("button", { name: /Show the numbers/ }));
  const rows = within(screen.getByRole("table", { name: "Task accuracy" })).getAllByRole("row");
  expect(rows[2]).toHaveTextContent("PRO · none–");
});

test("a click on a point tells which method it belongs to", async () => {
  const onPoint = vi.fn();
  renderPage(<Figure figure={FIGURE} onPoint={onPoint} />);
  await waitFor(() => {
    click({ points: [{ x: "VFT", y: 32.5, customdata: "1", data: { name: "VFT" } }] });
    expect(onPoint).toHaveBeenCalledWith(expect.objectContaining({ name: "VFT", y: 32.5 }));
  });
});

test("a figure without a point says so instead of drawing empty axes", () => {
  const empty = { ...FIGURE, figure: { data: [{ type: "scatter", x: [], y: [] }], layout: {} } };
  renderPage(<Figure figure={empty} />);
  expect(screen.getByText(/Nothing is measured yet/)).toBeInTheDocument();
  expect(screen.queryByRole("img", { name: "Task accuracy" })).not.toBeInTheDocument();
});

test("a figure that cannot be drawn says why in its place", async () => {
  plotly.react.mockRejectedValueOnce(new Error("the chart library is missing"));
  renderPage(<Figure figure={FIGURE} />);
  expect(await screen.findByRole("alert")).toHaveTextContent("the chart library is missing");
});

test("pictures are drawn here; the interactive file is offered where the server makes it", async () => {
  const { unmount } = renderPage(<Figure figure={FIGURE} />);
  await userEvent.click(screen.getByRole("button", { name: "Export: Task accuracy" }));
  const pictures = await screen.findAllByRole("menuitem");
  expect(pictures.map((item) => item.textContent?.slice(0, 3))).toEqual([
    "SVG",
    "SVG",
    "PNG",
    "PNG",
  ]);
  unmount();
  renderPage(<Figure figure={FIGURE} fileHref="/api/v1/runs/1/figures/loss/file" />);
  await userEvent.click(screen.getByRole("button", { name: "Export: Task accuracy" }));
  expect(await screen.findByRole("menuitem", { name: "HTML, interactive" })).toBeInTheDocument();
});

test("a figure that cannot have data says why", () => {
  const at = { xref: "paper", x: 0.5 };
  const annotations = [
    { ...at, y: 1, text: "better COTs up" },
    { ...at, y: 0.5, text: "This experiment varies<br>no setting." },
  ];
  renderPage(<Figure figure={{ ...FIGURE, figure: { data: [], layout: { annotations } } }} />);
  expect(screen.getByText("This experiment varies no setting.")).toBeInTheDocument();
  expect(screen.queryByText(/Nothing is measured yet/)).toBeNull();
});
