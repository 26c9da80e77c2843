import { createColumnHelper } from "@tanstack/react-table";
import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { Route, Routes, useLocation } from "react-router";
import { expect, test, vi } from "vitest";
import { renderPage } from "@/test/render";
import { DataTable, type DataTableProps } from "./DataTable";
import { nextRow } from "./useRowKeys";

interface Item {
  id: string;
  name: string;
  accuracy: number;
}

const column = createColumnHelper<Item>();
const COLUMNS = [
  column.accessor("name", { header: "Method" }),
  column.accessor("accuracy", { header: "Accuracy", meta: { numeric: true } }),
];
const ROWS: Item[] = [
  { id: "a", name: "VFT", accuracy: 32.5 },
  { id: "b", name: "RFT", accuracy: 35.9 },
  { id: "c", name: "RRHF · none", accuracy: 11.9 },
];

function table(props: Partial<DataTableProps<Item>> = {}) {
  return (
    <DataTable label="Methods" columns={COLUMNS} rows={ROWS} rowId={(row) => row.id} {...props} />
  );
}

function Where() {
  return <p>at {useLocation().pathname}</p>;
}

function Selecting() {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  return (
    <>
      {table({ selected, onSelect: setSelected })}
      <output>{[...selected].join(",")}</output>
    </>
  );
}

const names = () =>
  screen
    .getAllByRole("row")
    .slice(1)
    .map((row) => within(row).getAllByRole("cell")[0]?.textContent);

test("a press on a numeric header sorts from the largest, another from the smallest", async () => {
  renderPage(table());
  await userEvent.click(screen.getByRole("button", { name: "Accuracy" }));
  expect(names()).toEqual(["RFT", "VFT", "RRHF · none"]);
  expect(screen.getByRole("columnheader", { name: "Accuracy" })).toHaveAttribute(
    "aria-sort",
    "descending",
  );
  await userEvent.click(screen.getByRole("button", { name: "Accuracy" }));
  expect(names()).toEqual(["RRHF · none", "VFT", "RFT"]);
});

test("rows sorted by the server keep their order and report what is wanted", async () => {
  const wanted = vi.fn();
  renderPage(table({ sortedByServer: true, sorting: [], onSortingChange: wanted }));
  await userEvent.click(screen.getByRole("button", { name: "Method" }));
  expect(wanted).toHaveBeenCalledWith([{ id: "name", desc: false }]);
  expect(names()).toEqual(["VFT", "RFT", "RRHF · none"]);
});

test("arrows move between rows and Enter opens one", async () => {
  const open = vi.fn();
  renderPage(table({ onOpen: open }));
  const [, first, second] = screen.getAllByRole("row");
  first?.focus();
  await userEvent.keyboard("{ArrowDown}");
  expect(second).toHaveFocus();
  await userEvent.keyboard("{Enter}");
  expect(open).toHaveBeenCalledWith(ROWS[1]);
});

test("a click on a row follows its address", async () => {
  renderPage(
    <Routes>
      <Route path="/" element={table({ rowHref: (row) => `/runs/${row.id}` })} />
      <Route path="*" element={<Where />} />
    </Routes>,
  );
  await userEvent.click(screen.getByText("RFT"));
  expect(screen.getByText("at /runs/b")).toBeInTheDocument();
});

test("boxes select rows, and Space does", async () => {
  renderPage(<Selecting />);
  const boxes = screen.getAllByRole("checkbox", { name: "Select this row" });
  await userEvent.click(boxes[1] as HTMLElement);
  expect(screen.getByRole("status")).toHaveTextContent("b");
  screen.getAllByRole("row")[1]?.focus();
  await userEvent.keyboard(" ");
  expect(screen.getByRole("status")).toHaveTextContent("b,a");
  await userEvent.click(screen.getByRole("checkbox", { name: "Select all rows" }));
  expect(screen.getByRole("status")).toHaveTextContent("b,a,c");
});

test("only rows near the view are in the page", () => {
  const many = Array.from({ length: 10_000 }, (_, index) => ({
    id: `${index}`,
    name: `run ${index}`,
    accuracy: index,
  }));
  renderPage(table({ rows: many }));
  expect(screen.getAllByRole("row").length).toBeLessThan(60);
  expect(screen.getByRole("table")).toHaveAttribute("aria-rowcount", "10001");
});

test("the end of the rows asks for the next page", () => {
  const more = vi.fn();
  renderPage(table({ onEndReached: more }));
  expect(more).toHaveBeenCalledTimes(1);
});

test("no rows show what was given instead", () => {
  renderPage(table({ rows: [], empty: <p>No runs yet</p> }));
  expect(screen.getByText("No runs yet")).toBeInTheDocument();
  expect(screen.queryByRole("table")).not.toBeInTheDocument();
});

test("keys stay within the rows", () => {
  expect(nextRow("ArrowUp", 0, 3)).toBe(0);
  expect(nextRow("ArrowDown", 2, 3)).toBe(2);
  expect(nextRow("PageDown", 0, 30)).toBe(10);
  expect(nextRow("End", 0, 3)).toBe(2);
  expect(nextRow("x", 0, 3)).toBeNull();
});
