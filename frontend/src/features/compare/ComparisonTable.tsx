import { ActionIcon, Menu, Tooltip } from "@mantine/core";
import { type ReactNode, useMemo } from "react";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { difference, meanSpread, NOT_MEASURED, pValue } from "@/components/format";
import { Icon } from "@/components/Icon";
import { MethodName } from "@/components/MethodMark";
import { MeanCell, NumberCell } from "@/components/Numbers";
import classes from "./ComparePage.module.css";
import { type CompareState, type Sort, toggled } from "./compareState";
import { bestBeyondNoise } from "./noise";
import type { Comparison, MethodRow } from "./queries";
import { columnOf, columnsOf, type MetricColumn, taskOf, verdictWords, visibleRows } from "./rows";

interface Props {
  /** Empty where runs of several experiments are compared. */
  experimentId: string;
  comparison: Comparison;
  state: CompareState;
  onChange: (change: Partial<CompareState>) => void;
}

/** Methods as rows: mean ± standard deviation, seeds, difference to the baseline with its interval, p, and in words. */
export function ComparisonTable({ experimentId, comparison, state, onChange }: Props) {
  const task = taskOf(comparison.tasks, state);
  const columns = columnsOf(comparison.metrics, task);
  const best = useMemo(
    () =>
      new Map(
        columnsOf(comparison.metrics, task).map(({ metric }) => [
          metric,
          bestBeyondNoise(comparison.rows, metric),
        ]),
      ),
    [comparison, task],
  );
  const tested = columnOf(state.metric, task);
  const rows = visibleRows(comparison.rows, { ...state, metric: tested.metric });
  const anyMissing = rows.some((row) => row.missing.length > 0);
  const sorting = { sort: state.sort, onSort: (sort: Sort | undefined) => onChange({ sort }) };
  const unit = tested.unit === "" ? "" : ` (${tested.unit})`;
  return (
    <section className={classes.scroller} aria-label="Comparison of methods">
      <table className={classes.table}>
        <thead>
          <tr>
            <SortHead column="method" {...sorting}>
              Method
            </SortHead>
            <th scope="col">n</th>
            {columns.map((column) => (
              <SortHead
                key={column.metric}
                column={column.metric}
                about={column.about}
                {...sorting}
              >
                {column.title}
              </SortHead>
            ))}
            <SortHead
              column="difference"
              about={`${tested.name} minus ${comparison.baseline ?? "the baseline"}. ${comparison.test_about}`}
              group
              {...sorting}
            >
              Δ {tested.short}
              {unit}
            </SortHead>
            <th scope="col">95 % interval</th>
            <SortHead
              column="p"
              about="Holm-corrected for the number of methods in the table. Hover for the uncorrected one."
              {...sorting}
            >
              p
            </SortHead>
            <th scope="col" className={classes.words}>
              In words
            </th>
            {anyMissing && (
              <th scope="col" className={classes.words}>
                Missing
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={row.method}
              data-baseline={row.is_baseline}
              data-selected={state.selected.includes(row.method)}
              data-pinned={state.pinned.includes(row.method)}
            >
              <th scope="row">
                <span className={classes.method}>
                  <button
                    type="button"
                    className={classes.select}
                    aria-pressed={state.selected.includes(row.method)}
                    onClick={() => onChange({ selected: toggled(state.selected, row.method) })}
                  >
                    <MethodName
                      label={row.method}
                      family={row.family}
                      constraint={row.constraint}
                      equation
                    />
                  </button>
                  <RowMenu
                    experimentId={experimentId}
                    row={row}
                    state={state}
                    onChange={onChange}
                  />
                </span>
              </th>
              <td>{row.statistics[tested.metric]?.n ?? 0}</td>
              {columns.map((column) => (
                <Mean
                  key={column.metric}
                  row={row}
                  column={column}
                  strong={best.get(column.metric)?.has(row.method) ?? false}
                  published={comparison.published !== null}
                />
              ))}
              <Tested row={row} column={tested} />
              {anyMissing && <td className={classes.missing}>{row.missing.join(", ")}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface HeadProps {
  column: string;
  about?: string;
  group?: boolean;
  sort: Sort | undefined;
  onSort: (sort: Sort | undefined) => void;
  children: ReactNode;
}

/** A column's head that sorts: the largest first, then the smallest, then as the experiment lists them. */
function SortHead({ column, about, group = false, sort, onSort, children }: HeadProps) {
  const mine = sort?.column === column ? sort : undefined;
  const first = column === "method" || column === "p";
  const next =
    mine === undefined
      ? { column, descending: !first }
      : mine.descending === !first
        ? { column, descending: first }
        : undefined;
  const button = (
    <button type="button" className={classes.sort} onClick={() => onSort(next)}>
      {children}
      {mine !== undefined && <Icon name={mine.descending ? "arrow-down" : "arrow-up"} size={12} />}
    </button>
  );
  return (
    <th
      scope="col"
      data-group={group}
      aria-sort={mine === undefined ? "none" : mine.descending ? "descending" : "ascending"}
    >
      {about === undefined ? (
        button
      ) : (
        <Tooltip label={about} maw={340} multiline>
          {button}
        </Tooltip>
      )}
    </th>
  );
}

interface MeanProps {
  row: MethodRow;
  column: MetricColumn;
  strong: boolean;
  published: boolean;
}

function Mean({ row, column, strong, published }: MeanProps) {
  const statistic = row.statistics[column.metric];
  const run = Object.values(row.run_ids).find((one) => one.evaluate !== undefined)?.evaluate;
  const paper = statistic?.published_mean ?? null;
  return (
    <td>
      <span className={classes.quiet}>
        <MeanCell
          mean={statistic?.mean ?? null}
          std={statistic?.std ?? null}
          n={statistic?.n ?? 0}
          decimals={column.decimals}
          scale={column.scale}
          strong={strong}
          to={run === undefined ? undefined : paths.run(run)}
        />
      </span>
      {published && paper !== null && (
        <span className={classes.published}>
          <span aria-hidden="true">◆ </span>
          <span className="visually-hidden">published </span>
          {meanSpread(paper, statistic?.published_std, 2, column.scale)}
        </span>
      )}
    </td>
  );
}

/** The four cells of the test. */
function Tested({ row, column }: { row: MethodRow; column: MetricColumn }) {
  const found = row.statistics[column.metric];
  const show = (value: number | null | undefined) =>
    difference(
      value === null || value === undefined ? null : value * column.scale,
      column.decimals,
    );
  if (row.is_baseline)
    return (
      <>
        <td data-group="true" className={classes.dim}>
          baseline
        </td>
        <td />
        <td />
        <td />
      </>
    );
  const low = found?.difference_low ?? null;
  const unit = column.scale === 100 ? "questions" : "units";
  return (
    <>
      <td data-group="true">
        <NumberCell>{show(found?.difference)}</NumberCell>
      </td>
      <td>
        <NumberCell
          about={
            low === null
              ? (found?.tested_n ?? 0) < 2
                ? "Two seeds or more are needed for an interval."
                : "Every seed differs by the same amount: no spread to make an interval of."
              : `Rests on ${found?.tested_n ?? 0} ${(found?.tested_n ?? 0) > 50 ? unit : "seeds"}.`
          }
        >
          {low === null ? NOT_MEASURED : `${show(low)} to ${show(found?.difference_high)}`}
        </NumberCell>
      </td>
      <td>
        <NumberCell about={`Uncorrected: ${pValue(found?.p_value ?? null)}.`}>
          {pValue(found?.p_holm ?? null)}
        </NumberCell>
      </td>
      <td className={classes.words} data-verdict={found?.verdict ?? "none"}>
        {verdictWords(found)}
      </td>
    </>
  );
}

interface MenuProps {
  experimentId: string;
  row: MethodRow;
  state: CompareState;
  onChange: (change: Partial<CompareState>) => void;
}

function RowMenu({ experimentId, row, state, onChange }: MenuProps) {
  const pinned = state.pinned.includes(row.method);
  const runs = `${paths.runs}?experiment=${experimentId}&q=${encodeURIComponent(row.method)}`;
  return (
    <Menu position="bottom-start" width={200}>
      <Menu.Target>
        <ActionIcon className={classes.more} aria-label={`Actions: ${row.method}`}>
          <Icon name="dots" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {!row.is_baseline && (
          <>
            <Menu.Item onClick={() => onChange({ flips: row.method })}>
              Show flipped questions
            </Menu.Item>
            <Menu.Item onClick={() => onChange({ baseline: row.method })}>
              Use as baseline
            </Menu.Item>
          </>
        )}
        <Menu.Item onClick={() => onChange({ pinned: toggled(state.pinned, row.method) })}>
          {pinned ? "Unpin" : "Pin to the top"}
        </Menu.Item>
        <Menu.Item
          onClick={() =>
            onChange({
              hidden: toggled(state.hidden, row.method),
              selected: state.selected.filter((one) => one !== row.method),
            })
          }
        >
          Hide
        </Menu.Item>
        {experimentId !== "" && (
          <Menu.Item component={Link} to={runs}>
            Open its runs
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
