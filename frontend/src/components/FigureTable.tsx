import type { FigureData } from "./Figure";
import classes from "./Figure.module.css";
import { NOT_MEASURED } from "./format";

/** The figure's numbers: what screen readers get, and what everybody can switch to. */
export function FigureTable({ figure }: { figure: FigureData }) {
  return (
    <table className={classes.numbers}>
      <caption className="visually-hidden">{figure.title}</caption>
      <thead>
        <tr>
          {figure.columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {figure.rows.map((row, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: rows have no identity and are never reordered here
          <tr key={index}>
            {row.map((cell, column) => (
              <td key={figure.columns[column] ?? column} data-number={typeof cell === "number"}>
                {cellText(cell)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return NOT_MEASURED;
  if (typeof cell === "number")
    return Number.isInteger(cell) ? cell.toString() : Number(cell.toPrecision(6)).toString();
  return String(cell);
}
