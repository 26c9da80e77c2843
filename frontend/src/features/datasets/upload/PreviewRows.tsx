import type { Schema } from "@/api/client";
import classes from "../Datasets.module.css";

const SHOWN_ROWS = 8;
type Preview = Schema<"PreviewRead">;

/** The first rows as they would be imported, or as the file has them while that is not known. */
export function PreviewRows({ preview }: { preview: Preview }) {
  return preview.problem === null ? <Parsed rows={preview.rows} /> : <Cells preview={preview} />;
}

function Parsed({ rows }: { rows: Preview["rows"] }) {
  const hasChoices = rows.some((row) => row.choices !== null);
  return (
    <div className={classes.scroller}>
      <table className={`${classes.table} ${classes.preview}`}>
        <thead>
          <tr>
            <th scope="col">Row</th>
            <th scope="col">Question</th>
            {hasChoices && <th scope="col">Choices</th>}
            <th scope="col">Reference COT</th>
            <th scope="col" className={classes.gold}>
              Gold answer
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, SHOWN_ROWS).map((row) => (
            <tr key={row.row_number}>
              <td>{row.row_number}</td>
              {row.error === null ? (
                <>
                  <td>{row.question}</td>
                  {hasChoices && <td>{row.choices?.join(" · ")}</td>}
                  <td>{row.reference}</td>
                  <td>{row.gold}</td>
                </>
              ) : (
                <td colSpan={hasChoices ? 4 : 3} className={classes.reason}>
                  {row.error.column === null ? "" : `${row.error.column}: `}
                  {row.error.reason}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cells({ preview: { columns, cells, rows } }: { preview: Preview }) {
  if (columns.length === 0) return null;
  return (
    <div className={classes.scroller}>
      <table className={`${classes.table} ${classes.preview}`}>
        <thead>
          <tr>
            <th scope="col">Row</th>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {cells.slice(0, SHOWN_ROWS).map((row, index) => (
            <tr key={rows[index]?.row_number ?? index}>
              <td>{rows[index]?.row_number ?? index + 1}</td>
              {columns.map((column) => (
                <td key={column}>{row[column]}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
