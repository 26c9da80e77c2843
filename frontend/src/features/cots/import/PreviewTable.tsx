import { score } from "@/components/format";
import { Verdict } from "@/components/Verdict";
import classes from "./Import.module.css";
import type { Preview } from "./queries";

/** Rows as they would be imported, or why they would not. */
export function PreviewTable({ rows }: { rows: Preview["rows"] }) {
  const scored = rows.some((row) => Object.keys(row.scores).length > 0);
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
            {scored && <th scope="col">Scores</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.row_number}>
              <td>{row.row_number}</td>
              {row.reason !== null ? (
                <td colSpan={scored ? 5 : 4} className={classes.reason}>
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
                  {scored && (
                    <td className={classes.cell}>
                      {Object.entries(row.scores)
                        .map(([checkpoint, value]) => `${checkpoint} ${score(value)}`)
                        .join(" · ") || "–"}
                    </td>
                  )}
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
