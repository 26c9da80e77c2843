import { flexRender, type Header, type Table } from "@tanstack/react-table";
import classes from "./DataTable.module.css";
import { Icon } from "./Icon";

/** The header row: names, and buttons that sort. */
export function TableHead<Item>({ table }: { table: Table<Item> }) {
  return (
    <thead>
      {table.getHeaderGroups().map((group) => (
        <tr key={group.id} aria-rowindex={1}>
          {group.headers.map((header) => (
            <HeadCell key={header.id} header={header} />
          ))}
        </tr>
      ))}
    </thead>
  );
}

const ARIA_SORT = { asc: "ascending", desc: "descending" } as const;

function HeadCell<Item>({ header }: { header: Header<Item, unknown> }) {
  const { column } = header;
  const content = flexRender(column.columnDef.header, header.getContext());
  const sorted = column.getIsSorted();
  return (
    <th
      scope="col"
      data-numeric={column.columnDef.meta?.numeric}
      aria-sort={sorted === false ? undefined : ARIA_SORT[sorted]}
    >
      {column.getCanSort() ? (
        <button
          type="button"
          className={classes.sort}
          onClick={column.getToggleSortingHandler()}
          data-sorted={sorted !== false}
        >
          <span>{content}</span>
          <Icon
            name={sorted === "asc" ? "arrow-up" : sorted === "desc" ? "arrow-down" : "sort"}
            size={12}
          />
        </button>
      ) : (
        content
      )}
    </th>
  );
}
