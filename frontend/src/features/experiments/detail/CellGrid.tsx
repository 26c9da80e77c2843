import { Tooltip } from "@mantine/core";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { counted } from "@/components/format";
import { MethodName } from "@/components/MethodMark";
import { Panel } from "@/components/Panel";
import { RunState } from "@/components/RunState";
import type { Experiment } from "../queries";
import classes from "./CellGrid.module.css";
import { cellOf, missingCells } from "./cells";

/** Methods × seeds: what is measured, and what is missing and why. */
export function CellGrid({ experiment, block }: { experiment: Experiment; block: string }) {
  const missing = missingCells(experiment, block);
  const total = experiment.methods.length * experiment.seeds.length;
  return (
    <Panel
      title="Cells"
      note={
        missing === 0 ? `all ${total} measured` : `${counted(missing, "cell")} of ${total} missing`
      }
      flush
    >
      <section className={classes.scroller} aria-label="Methods and seeds">
        <table className={classes.grid}>
          <thead>
            <tr>
              <th scope="col">Method</th>
              {experiment.seeds.map((seed) => (
                <th key={seed} scope="col">
                  seed {seed}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {experiment.methods.map((method) => (
              <tr key={method}>
                <th scope="row">
                  <MethodName label={method} />
                </th>
                {experiment.seeds.map((seed) => {
                  const cell = cellOf(experiment, block, method, seed);
                  return (
                    <td key={seed}>
                      {cell === undefined ? (
                        <span className={classes.none}>not planned</span>
                      ) : (
                        <Tooltip label={cell.missing ?? "measured"} openDelay={300}>
                          <Link className={classes.cell} to={paths.run(cell.runId)}>
                            <RunState state={cell.state} />
                          </Link>
                        </Tooltip>
                      )}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </Panel>
  );
}
