import "@tanstack/react-table";

declare module "@tanstack/react-table" {
  interface ColumnMeta<TData, TValue> {
    /** Right-aligned, tabular figures, sorted from the largest. */
    numeric?: boolean;
    /** Takes the room that is left. */
    grow?: boolean;
    /** Header for screen readers and the column menu, where the header is not plain text. */
    label?: string;
  }
}
