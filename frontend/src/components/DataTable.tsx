import {
  type ColumnDef,
  flexRender,
  getCoreRowModel,
  getSortedRowModel,
  type Row,
  type SortingState,
  useReactTable,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type MouseEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router";
import classes from "./DataTable.module.css";
import { TableHead } from "./TableHead";
import { selectionColumn } from "./tableSelection";
import { useFittingColumns } from "./useFittingColumns";
import { useRowKeys } from "./useRowKeys";

export interface DataTableProps<Item> {
  /** Names the table for screen readers. */
  label: string;
  // biome-ignore lint/suspicious/noExplicitAny: columns of one table hold values of different types
  columns: ColumnDef<Item, any>[];
  rows: readonly Item[];
  rowId: (row: Item) => string;
  /** Where a click or Enter on a row leads. Put a Link into the name's cell as well. */
  rowHref?: (row: Item) => string | undefined;
  /** Instead of an address: what a click or Enter does. */
  onOpen?: (row: Item) => void;
  /** A row that heads the rows below it: it spans the table, is never selected, and opens by `onOpen`. */
  band?: (row: Item) => ReactNode;
  /** Id of the row that the page shows beside the table. */
  current?: string | undefined;
  /** Sorting kept outside, in the URL; otherwise the table keeps its own. */
  sorting?: SortingState;
  onSortingChange?: (sorting: SortingState) => void;
  /** The rows come sorted from the server. */
  sortedByServer?: boolean;
  /** Ids of columns that are not shown. */
  hidden?: readonly string[];
  /** Selected row ids; giving onSelect adds the boxes. */
  selected?: ReadonlySet<string>;
  onSelect?: (ids: ReadonlySet<string>) => void;
  dense?: boolean;
  /** Largest height before the rows scroll: pixels or a CSS length. */
  maxHeight?: number | string;
  /** Shown instead of rows when there are none. */
  empty?: ReactNode;
  /** The last rows are in view: fetch the next page. */
  onEndReached?: () => void;
  /** Rows of the next page are on their way. */
  fetchingMore?: boolean;
}

const NO_COLUMNS: readonly string[] = [];
const OVERSCAN = 12;

/** A table with a sticky header, virtual rows, sorting and keys: ↑ ↓ Home End move, Enter opens, Space selects. */
export function DataTable<Item>(props: DataTableProps<Item>) {
  const { label, rows, rowId, rowHref, onOpen, current, selected, onSelect, onEndReached } = props;
  const bandOf = (row: Item): ReactNode => props.band?.(row) || undefined;
  const { dense = false, maxHeight = "70vh", hidden = NO_COLUMNS, sortedByServer = false } = props;
  const [ownSorting, setOwnSorting] = useState<SortingState>([]);
  const sorting = props.sorting ?? ownSorting;
  const scroller = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();

  const columns = useMemo(
    () => (onSelect === undefined ? props.columns : [selectionColumn<Item>(), ...props.columns]),
    [onSelect, props.columns],
  );
  const dropped = useFittingColumns(scroller, columns, hidden);
  const table = useReactTable<Item>({
    data: rows as Item[],
    columns,
    state: {
      sorting,
      columnVisibility: Object.fromEntries([...hidden, ...dropped].map((id) => [id, false])),
      rowSelection: Object.fromEntries([...(selected ?? [])].map((id) => [id, true])),
    },
    getRowId: rowId,
    enableRowSelection: (row) => onSelect !== undefined && bandOf(row.original) === undefined,
    manualSorting: sortedByServer,
    enableSortingRemoval: true,
    onSortingChange: (update) => {
      const next = typeof update === "function" ? update(sorting) : update;
      (props.onSortingChange ?? setOwnSorting)(next);
    },
    onRowSelectionChange: (update) => {
      const before = Object.fromEntries([...(selected ?? [])].map((id) => [id, true]));
      const next = typeof update === "function" ? update(before) : update;
      onSelect?.(new Set(Object.keys(next).filter((id) => next[id])));
    },
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
  });

  const tableRows = table.getRowModel().rows;
  const rowHeight = dense ? 28 : 36;
  const virtual = useVirtualizer({
    count: tableRows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN,
  });
  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? -1;
  const nearEnd = tableRows.length > 0 && lastShown >= tableRows.length - OVERSCAN;
  const endReached = useRef(onEndReached);
  endReached.current = onEndReached;
  // Also runs when rows arrive, so that a first page shorter than the view fetches the next one.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the count is the trigger
  useEffect(() => {
    if (nearEnd) endReached.current?.();
  }, [nearEnd, tableRows.length]);

  const open = (row: Row<Item>, newTab: boolean) => {
    const href = rowHref?.(row.original);
    if (href !== undefined && newTab) window.open(href, "_blank", "noopener");
    else if (href !== undefined) navigate(href);
    else onOpen?.(row.original);
  };
  const keys = useRowKeys({
    count: tableRows.length,
    scrollTo: (index) => virtual.scrollToIndex(index),
    scroller,
    onOpen: (index) => {
      const row = tableRows[index];
      if (row !== undefined) open(row, false);
    },
    onToggle: (index) => {
      if (tableRows[index]?.getCanSelect() === true) tableRows[index].toggleSelected();
    },
  });
  const clicked = (event: MouseEvent, row: Row<Item>) => {
    if ((event.target as Element).closest("a, button, input, label") !== null) return;
    if (window.getSelection()?.isCollapsed === false) return; // the reader is marking text
    open(row, event.metaKey || event.ctrlKey);
  };

  if (rows.length === 0 && props.empty !== undefined) return <>{props.empty}</>;
  const shown = table.getVisibleLeafColumns();
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const clickable = rowHref !== undefined || onOpen !== undefined;
  return (
    <div ref={scroller} className={classes.scroller} style={{ maxHeight }}>
      <table
        className={classes.table}
        aria-label={label}
        aria-rowcount={tableRows.length + 1}
        data-dense={dense}
        style={{ minWidth: shown.reduce((sum, column) => sum + column.getSize(), 0) }}
      >
        <colgroup>
          {shown.map((column) => (
            <col
              key={column.id}
              style={column.columnDef.meta?.grow ? undefined : { width: column.getSize() }}
            />
          ))}
        </colgroup>
        <TableHead table={table} />
        <tbody onKeyDown={keys.onKeyDown}>
          {above > 0 && (
            <tr>
              <td colSpan={shown.length} className={classes.spacer} style={{ height: above }} />
            </tr>
          )}
          {items.map((item) => {
            const row = tableRows[item.index];
            if (row === undefined) return null;
            const band = bandOf(row.original);
            return (
              <tr
                key={row.id}
                className={classes.row}
                data-index={item.index}
                data-clickable={clickable}
                data-current={row.id === current}
                aria-current={row.id === current ? "true" : undefined}
                data-band={band !== undefined}
                aria-selected={row.getCanSelect() ? row.getIsSelected() : undefined}
                aria-rowindex={item.index + 2}
                tabIndex={item.index === keys.tabStop ? 0 : -1}
                onFocus={() => keys.onFocus(item.index)}
                onClick={clickable ? (event) => clicked(event, row) : undefined}
              >
                {band !== undefined ? (
                  <td colSpan={shown.length}>{band}</td>
                ) : (
                  row.getVisibleCells().map((cell) => (
                    <td key={cell.id} data-numeric={cell.column.columnDef.meta?.numeric}>
                      {flexRender(cell.column.columnDef.cell, cell.getContext())}
                    </td>
                  ))
                )}
              </tr>
            );
          })}
          {below > 0 && (
            <tr>
              <td colSpan={shown.length} className={classes.spacer} style={{ height: below }} />
            </tr>
          )}
        </tbody>
      </table>
      {props.fetchingMore === true && (
        <div className={classes.more} role="status">
          Loading more…
        </div>
      )}
    </div>
  );
}
