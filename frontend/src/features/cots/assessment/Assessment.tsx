import { Select } from "@mantine/core";
import type { CSSProperties } from "react";
import { DiffText } from "@/components/DiffText";
import { difference, score } from "@/components/format";
import { Icon } from "@/components/Icon";
import { Panel } from "@/components/Panel";
import type { Candidate, QuestionGroup } from "../queries";
import { ScoreUnder } from "../ScoreUnder";
import classes from "./Assessment.module.css";
import { letterOf, type PairCell, type PairGrid, pairChange, pairGrid, pairKey } from "./pairs";

interface Props {
  group: QuestionGroup;
  setId: string;
  /** Model run ids from the URL: before and after. */
  model: string | undefined;
  against: string | undefined;
  /** The chosen pair from the URL, ``right-wrong``. */
  pair: string | undefined;
  onChange: (values: Record<string, string | null>) => void;
}

/** Every right COT against every other by score difference, under one checkpoint or two side by side. */
export function Assessment({ setId, group, model, against, pair: asked, onChange }: Props) {
  const models = modelsOf(group.candidates);
  const first = models.find((one) => one.value === model) ?? models[0];
  const second = models.find((one) => one.value === against && one.value !== first?.value);
  if (first === undefined)
    return (
      <Panel title="Right against wrong">
        <p className={classes.dim}>No model has scored these COTs yet.</p>
        <ScoreUnder setId={setId} />
      </Panel>
    );
  const letters = new Map(group.candidates.map((one, index) => [one.id, letterOf(index)]));
  const before = pairGrid(group.candidates, first.value);
  const after = second === undefined ? undefined : pairGrid(group.candidates, second.value);
  const pair = before.rows.flat().find((cell) => pairKey(cell) === asked) ?? null;
  const setPair = (cell: PairCell) => onChange({ pair: pairKey(cell) });
  return (
    <>
      <div className={classes.choices}>
        <Select
          label="Before"
          size="xs"
          w={260}
          allowDeselect={false}
          data={models}
          value={first.value}
          onChange={(value) => onChange({ model: value })}
        />
        <Select
          label="After"
          size="xs"
          w={260}
          clearable
          placeholder="a second checkpoint"
          data={models.filter((one) => one.value !== first.value)}
          value={second?.value ?? null}
          onChange={(value) => onChange({ against: value })}
        />
        <ScoreUnder setId={setId} />
        {after !== undefined && <Change before={before} after={after} />}
      </div>
      <div className={classes.grids}>
        <Grid name={first.label} grid={before} letters={letters} pair={pair} onPair={setPair} />
        {after !== undefined && second !== undefined && (
          <Grid name={second.label} grid={after} letters={letters} pair={pair} onPair={setPair} />
        )}
      </div>
      {pair !== null && <Pair pair={pair} group={group} letters={letters} />}
    </>
  );
}

function Change({ before, after }: { before: PairGrid; after: PairGrid }) {
  const { repaired, broken } = pairChange(before, after);
  return (
    <p className={classes.change} role="status">
      <span className={classes.good}>
        <Icon name="check" size={14} /> {repaired} repaired
      </span>
      <span className={classes.bad}>
        <Icon name="cross" size={14} /> {broken} broken
      </span>
    </p>
  );
}

interface GridProps {
  name: string;
  grid: PairGrid;
  letters: Map<number, string>;
  pair: PairCell | null;
  onPair: (pair: PairCell) => void;
}

function Grid({ name, grid, letters, pair, onPair }: GridProps) {
  const letter = (id: number) => letters.get(id) ?? "?";
  const widest = Math.max(0.05, ...grid.rows.flat().map((cell) => Math.abs(cell.difference)));
  if (grid.n === 0)
    return (
      <Panel title={name}>
        <p className={classes.dim}>
          {grid.rights.length + grid.wrongs.length === 0
            ? "This model has scored none of these COTs."
            : grid.rights.length === 0
              ? "No COT is right, so there is no pair."
              : "Every COT is right, so there is no pair."}
        </p>
      </Panel>
    );
  return (
    <Panel
      title={name}
      note={`${grid.n - grid.nViolated} of ${grid.n} pairs in order${
        grid.nUnscored > 0 ? `, ${grid.nUnscored} COTs not scored` : ""
      }`}
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keyboard */}
      <section className={classes.scroll} tabIndex={0} aria-label={`Pairs under ${name}`}>
        <table className={classes.grid}>
          <caption className="visually-hidden">
            Score of the right COT minus score of the wrong one, nats/token, under {name}
          </caption>
          <thead>
            <tr>
              <td className={classes.corner}>right − wrong</td>
              {grid.wrongs.map((wrong) => (
                <th key={wrong.id} scope="col">
                  <Icon name="cross" size={12} className={classes.bad} /> {letter(wrong.id)}
                  <span className={classes.dim}>{score(wrong.score)}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {grid.rights.map((right, row) => (
              <tr key={right.id}>
                <th scope="row">
                  <Icon name="check" size={12} className={classes.good} /> {letter(right.id)}
                  <span className={classes.dim}>{score(right.score)}</span>
                </th>
                {grid.rows[row]?.map((cell) => {
                  const chosen = pair?.rightId === cell.rightId && pair.wrongId === cell.wrongId;
                  const share = Math.round(
                    8 + 34 * Math.min(1, Math.abs(cell.difference) / widest),
                  );
                  return (
                    <td key={cell.wrongId}>
                      <button
                        type="button"
                        className={classes.cell}
                        data-violated={cell.violated}
                        aria-pressed={chosen}
                        aria-label={`${letter(cell.rightId)} right against ${letter(cell.wrongId)} wrong: ${
                          cell.violated ? "the wrong one wins" : "in order"
                        }, difference ${difference(cell.difference, 3)}`}
                        style={{ "--share": `${share}%` } as CSSProperties}
                        onClick={() => onPair(cell)}
                      >
                        {cell.violated && <Icon name="cross" size={11} />}
                        {difference(cell.difference, 3)}
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p className={classes.legend}>
        <span>
          <span className={classes.swatch} data-violated="false" /> right COT ahead
        </span>
        <span>
          <span className={classes.swatch} data-violated="true" />
          <Icon name="cross" size={11} className={classes.bad} /> the wrong one wins, or a tie
        </span>
        <span>nats/token</span>
      </p>
    </Panel>
  );
}

function Pair({
  pair,
  group,
  letters,
}: {
  pair: PairCell;
  group: QuestionGroup;
  letters: Map<number, string>;
}) {
  const find = (id: number) => group.candidates.find((one) => one.id === id);
  const right = find(pair.rightId);
  const wrong = find(pair.wrongId);
  if (right === undefined || wrong === undefined) return null;
  const [ours, theirs] = [letters.get(right.id), letters.get(wrong.id)];
  return (
    <div className={classes.grids}>
      <Panel title={`${ours} · right`} note={`against ${theirs}`}>
        <DiffText here={right.text} there={wrong.text} thereName={`${theirs}`} />
      </Panel>
      <Panel title={`${theirs} · ${wrong.verdict}`} note={`against ${ours}`}>
        <DiffText here={wrong.text} there={right.text} thereName={`${ours}`} />
      </Panel>
    </div>
  );
}

export function modelsOf(candidates: readonly Candidate[]): { value: string; label: string }[] {
  const found = new Map<string, string>();
  for (const candidate of candidates)
    for (const one of candidate.scores) found.set(one.model_run_id, one.model);
  return [...found].map(([value, label]) => ({ value, label }));
}
