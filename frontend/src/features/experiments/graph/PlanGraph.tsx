import { Switch } from "@mantine/core";
import { useMemo, useState } from "react";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { Icon } from "@/components/Icon";
import { MethodName } from "@/components/MethodMark";
import { RunState } from "@/components/RunState";
import { BOX_HEIGHT, type Box, type GraphNode, layoutGraph, type Room } from "./layout";
import classes from "./PlanGraph.module.css";
import { boxInWords, isReused, stateOf } from "./summary";
import { WORDS } from "./widths";

interface Props {
  nodes: readonly GraphNode[];
  /** What this graph is of, for screen readers. */
  label: string;
  room?: Room;
}

const UNFOLDED_SEEDS = 3;
/** The runs as a graph: stages from left to right, a row a method, what a seed shares drawn once. */
export function PlanGraph({ nodes, label, room = "page" }: Props) {
  const seeds = useMemo(
    () => new Set(nodes.filter((node) => node.stage !== "base").map((node) => node.seed)).size,
    [nodes],
  );
  const [choice, setChoice] = useState<boolean | null>(null);
  const folded = choice ?? seeds > UNFOLDED_SEEDS;
  const layout = useMemo(() => layoutGraph(nodes, folded, room), [nodes, folded, room]);
  const [pointed, setPointed] = useState<string | null>(null);
  const anyReused = nodes.some((node) => node.reused);
  return (
    <div>
      <div className={classes.legend}>
        {seeds > 1 && (
          <Switch
            size="xs"
            label="Seeds together"
            checked={folded}
            onChange={(event) => setChoice(event.currentTarget.checked)}
          />
        )}
        {anyReused && (
          <span className={classes.key}>
            <span className={classes.swatch} /> reused
          </span>
        )}
        <span className={classes.key}>Fresh: new COTs for assessment</span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard */}
      <section className={classes.scroller} aria-label={label} tabIndex={0}>
        <div className={classes.canvas} style={{ width: layout.width, height: layout.height }}>
          {layout.columns.map((column) => (
            <span
              key={column.title}
              className={classes.column}
              style={{ left: column.x, width: column.width }}
            >
              {column.title}
            </span>
          ))}
          {layout.blocks.map((block) => (
            <span key={block.title} className={classes.block} style={{ top: block.y }}>
              {block.title}
            </span>
          ))}
          <svg
            className={classes.edges}
            width={layout.width}
            height={layout.height}
            aria-hidden="true"
            focusable="false"
          >
            {layout.edges.map((edge) => (
              <path
                key={edge.key}
                d={edge.path}
                data-near={edge.from === pointed || edge.to === pointed}
              />
            ))}
          </svg>
          {layout.boxes.map((box) => (
            <GraphBox key={box.key} box={box} onPoint={setPointed} />
          ))}
        </div>
      </section>
    </div>
  );
}

function GraphBox({ box, onPoint }: { box: Box; onPoint: (key: string | null) => void }) {
  const { members } = box;
  const state = stateOf(members);
  const words = boxInWords(box);
  const runId = members.length === 1 ? (members[0]?.runId ?? null) : null;
  // What is read aloud holds what is written, so that it can be asked for by voice.
  const written = WORDS[box.stage] ?? "";
  const spoken = words.includes(written) ? words : `${written}: ${words}`;
  const shared = {
    className: classes.box ?? "",
    title: words,
    "data-stage": box.stage,
    "data-reused": isReused(members),
    "data-state": state ?? "planned",
    style: { left: box.x, top: box.y, width: box.width, height: BOX_HEIGHT },
    onMouseEnter: () => onPoint(box.key),
    onMouseLeave: () => onPoint(null),
  };
  const content = <BoxContent box={box} />;
  if (runId === null)
    return (
      <div {...shared} role="img" aria-label={words}>
        {content}
      </div>
    );
  return (
    <Link
      {...shared}
      to={paths.run(runId)}
      aria-label={spoken}
      onFocus={() => onPoint(box.key)}
      onBlur={() => onPoint(null)}
    >
      {content}
    </Link>
  );
}

function BoxContent({ box }: { box: Box }) {
  const { stage, method, members } = box;
  const state = stateOf(members);
  const done = members.filter((node) => node.state === "succeeded").length;
  const named = stage === "train" || stage === "name";
  return (
    <>
      {state !== null && <RunState state={state} iconOnly />}
      {named && <MethodName label={method ?? ""} />}
      {!named && WORDS[stage] !== undefined && <span className={classes.word}>{WORDS[stage]}</span>}
      {(stage === "evaluate" || stage === "validate") && state === null && (
        <Icon name="compare" size={13} />
      )}
      {members.length > 1 && (
        <span className={classes.times}>
          {state === null ? `×${members.length}` : `${done}/${members.length}`}
        </span>
      )}
    </>
  );
}
