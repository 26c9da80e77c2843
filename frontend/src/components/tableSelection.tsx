import type { ColumnDef } from "@tanstack/react-table";
import classes from "./DataTable.module.css";

/** The column of boxes that select rows. */
export function selectionColumn<Item>(): ColumnDef<Item> {
  return {
    id: "select",
    size: 36,
    enableSorting: false,
    header: ({ table }) => (
      <input
        type="checkbox"
        className={classes.box}
        aria-label="Select all rows"
        checked={table.getIsAllRowsSelected()}
        ref={(element) => {
          if (element !== null) element.indeterminate = table.getIsSomeRowsSelected();
        }}
        onChange={table.getToggleAllRowsSelectedHandler()}
      />
    ),
    cell: ({ row }) => (
      <input
        type="checkbox"
        className={classes.box}
        aria-label="Select this row"
        checked={row.getIsSelected()}
        tabIndex={-1}
        onChange={row.getToggleSelectedHandler()}
      />
    ),
  };
}
