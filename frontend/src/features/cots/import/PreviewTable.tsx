import { Verdict } from "@/components/Verdict";
import classes from "./Import.module.css";
import type { Preview } from "./queries";

/** Rows as they would be imported, or why they would not. */
export function PreviewTable({ rows }: { rows: Preview["rows"] }) {
  return (
    <div className={classes.scroller}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Row</th>
            <th scope="col">Question</th>
            <th scope="col">COT</th>
            <th scope="col">Answer</th>
            <th scope="col">Rating</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.row_number}>
              <td>{row.row_number}</td>
              {row.reason !== null ? (
                <td colSpan={4} className={classes.reason}>
                  {row.column === null ? "" : `${row.column}: `}
                  {row.reason}
                </td>
              ) : (
                <>
                  <td className={classes.cell}>{row.question}</td>
                  <td className={classes.cell}>{row.text}</td>
                  <td>
                    {row.verdict !== null && <Verdict verdict={row.verdict} />} {row.answer}
                  </td>
                  <td>{row.rating ?? "–"}</td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
