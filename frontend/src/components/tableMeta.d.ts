import "@tanstack/react-table";

declare module "@tanstack/react-table" {
  interface ColumnMeta<TData, TValue> {
    /** Right-aligned, tabular figures, sorted from the largest. */
    numeric?: boolean;
    /** Takes the room that is left. */
    grow?: boolean;
    /**
     * Left out while the table is too narrow for all of its columns, the largest number first. For what the
     * row's own page says as well.
     */
    drop?: number;
    /** Header for screen readers and the column menu, where the header is not plain text. */
    label?: string;
  }
}
