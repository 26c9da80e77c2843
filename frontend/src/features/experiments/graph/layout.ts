import type { RunStateName } from "@/components/RunState";
import { boxWidth } from "./widths";

/** A run in the graph: planned, or with its state now. */
export interface GraphNode {
  cell: string;
  stage: string;
  name: string;
  method: string | null;
  seed: number | null;
  /** Cells it waits for. */
  parents: readonly string[];
  reused: boolean;
  /** Null before it exists. */
  state: RunStateName | null;
  runId: string | null;
}

export interface Box {
  key: string;
  stage: string;
  method: string | null;
  /** One run, or the same run of every seed. Empty for a name that only labels its row. */
  members: GraphNode[];
  x: number;
  y: number;
  width: number;
}

export interface Edge {
  key: string;
  from: string;
  to: string;
  /** SVG path: level, along a trunk before the target's column, level again. */
  path: string;
}

export interface GraphLayout {
  boxes: Box[];
  edges: Edge[];
  columns: { title: string; x: number; width: number }[];
  blocks: { title: string; y: number }[];
  width: number;
  height: number;
}

export const BOX_HEIGHT = 22;
const ROW = 27;
const HEAD = 26;
const BLOCK_TITLE = 24;
const SHARED_ROWS = 3;

/** How much room the columns take: a plan stands beside its form, an experiment's graph has the page. */
export type Room = "plan" | "page";
const GAP: Record<Room, number> = { plan: 19, page: 26 };
const TRUNK_STEP: Record<Room, number> = { plan: 4, page: 5 };

interface Column {
  title: string;
  /** At least, of a plan's boxes, which show no state, and of a page's. */
  widths: Record<Room, number>;
  stages: readonly string[];
}

const COLUMNS: readonly Column[] = [
  { title: "Base", widths: { plan: 48, page: 78 }, stages: ["base"] },
  { title: "VFT", widths: { plan: 40, page: 70 }, stages: ["vft"] },
  { title: "Sample", widths: { plan: 60, page: 90 }, stages: ["sample"] },
  {
    title: "Label",
    widths: { plan: 48, page: 84 },
    stages: ["rate", "assessment-sample"],
  },
  { title: "Train", widths: { plan: 142, page: 176 }, stages: ["train"] },
  { title: "Paths", widths: { plan: 54, page: 84 }, stages: ["paths"] },
  {
    title: "Evaluate",
    widths: { plan: 48, page: 62 },
    stages: ["evaluate", "validate", "search"],
  },
];

// The order of the trunks in a gap, so that no two sources share a line.
const SOURCES = ["base", "vft", "sample", "rate", "assessment-sample", "train", "paths"];
const SHARED_ROW: Record<string, number> = { vft: 0, sample: 1, rate: 2 };

const SEARCH_BLOCK = "β";
const MEASURING: readonly string[] = ["evaluate", "validate", "search"];

/** Which block a run belongs to: its seed, or one for all when they are folded together. */
const blockOf = (node: GraphNode, folded: boolean): string =>
  node.stage === "base"
    ? ""
    : node.stage === "search"
      ? SEARCH_BLOCK
      : folded
        ? "all"
        : String(node.seed);

const STAGES_OF_A_METHOD: readonly string[] = ["train", "paths", ...MEASURING];

const keyOf = (node: GraphNode, folded: boolean): string =>
  `${blockOf(node, folded)}/${node.stage}/${STAGES_OF_A_METHOD.includes(node.stage) ? node.method : ""}`;

/**
 * Places runs in columns by stage and in rows by method, one block a seed; VFT and the sampling of a seed
 * stand once and feed every row.
 *
 * @param folded - One block for all seeds, each box holding the same run of every seed.
 * @param room - How wide the columns are.
 */
export function layoutGraph(
  nodes: readonly GraphNode[],
  folded: boolean,
  room: Room = "page",
): GraphLayout {
  const members = groupBy(nodes, (node) => keyOf(node, folded));
  const columns = placeColumns(members, room);
  const columnOf = (stage: string) =>
    columns.find((column) => column.stages.includes(stage)) ?? columns[columns.length - 1];
  const keyOfCell = new Map(nodes.map((node) => [node.cell, keyOf(node, folded)]));

  const boxes: Box[] = [];
  const blocks: GraphLayout["blocks"] = [];
  const blockTop = new Map<string, number>();
  const inBlocks = groupBy(
    nodes.filter((node) => node.stage !== "base"),
    (node) => blockOf(node, folded),
  );
  let y = HEAD;
  for (const [block, held] of inBlocks) {
    const rows = rowsOf(held);
    blocks.push({ title: titleOf(block, held, folded), y });
    blockTop.set(block, y + BLOCK_TITLE - 5);
    y += BLOCK_TITLE;
    const depth = Math.max(rows.length, SHARED_ROWS);
    const rowOf = (node: GraphNode) =>
      node.stage === "assessment-sample"
        ? depth
        : (SHARED_ROW[node.stage] ?? rows.indexOf(node.method ?? ""));
    const placed = new Set<string>();
    for (const node of held) {
      const key = keyOf(node, folded);
      const column = columnOf(node.stage);
      if (placed.has(key) || column === undefined) continue;
      placed.add(key);
      const { x, width } = column;
      const { stage, method } = node;
      boxes.push({
        key,
        stage,
        method,
        members: members.get(key) ?? [],
        x,
        y: y + rowOf(node) * ROW,
        width,
      });
    }
    boxes.push(...rowNames(rows, held, block, columnOf("train"), y));
    y += depth * ROW + (held.some((node) => node.stage === "assessment-sample") ? ROW : 0) + 10;
  }
  const base = nodes.find((node) => node.stage === "base");
  const baseColumn = columnOf("base");
  if (base !== undefined && baseColumn !== undefined) {
    const { x, width } = baseColumn;
    const key = keyOf(base, folded);
    const rowY = HEAD + BLOCK_TITLE;
    boxes.unshift({ key, stage: "base", method: null, members: [base], x, y: rowY, width });
  }
  const last = columns[columns.length - 1];
  return {
    boxes,
    edges: edgesOf(
      boxes,
      keyOfCell,
      columnOf,
      (key) => blockTop.get(key.split("/")[0] ?? "") ?? 0,
      TRUNK_STEP[room],
    ),
    columns,
    blocks,
    width: last === undefined ? 0 : last.x + last.width,
    height: y,
  };
}

/** As wide as their words; columns that not every experiment has are left out where nothing stands in them. */
function placeColumns(boxes: ReadonlyMap<string, GraphNode[]>, room: Room) {
  const widest = new Map<string, number>();
  for (const held of boxes.values()) {
    const stage = held[0]?.stage ?? "";
    widest.set(stage, Math.max(widest.get(stage) ?? 0, boxWidth(held)));
  }
  const has = (stage: string) => widest.has(stage);
  const absent = [has("base") ? "" : "Base", has("paths") ? "" : "Paths"];
  let x = 0;
  return COLUMNS.filter((column) => !absent.includes(column.title)).map((column) => {
    const needed = column.stages.map((stage) => widest.get(stage) ?? 0);
    const placed = { ...column, width: Math.max(column.widths[room], ...needed), x };
    x += placed.width + GAP[room];
    return placed;
  });
}

/** Methods in the experiment's order, the one that is VFT itself first: its line runs straight through. */
function rowsOf(nodes: readonly GraphNode[]): string[] {
  const evaluated = nodes.filter((node) => MEASURING.includes(node.stage));
  const trained = new Set(
    nodes.filter((node) => node.stage === "train").map((node) => node.method),
  );
  const names = [...new Set(evaluated.map((node) => node.method ?? ""))];
  return [
    ...names.filter((name) => !trained.has(name)),
    ...names.filter((name) => trained.has(name)),
  ];
}

/** A row without a training run of its own still says which method it evaluates. */
function rowNames(
  rows: readonly string[],
  nodes: readonly GraphNode[],
  block: string,
  column: { x: number; width: number } | undefined,
  top: number,
): Box[] {
  const trained = new Set(
    nodes.filter((node) => node.stage === "train").map((node) => node.method),
  );
  if (column === undefined) return [];
  return rows.flatMap((method, row) =>
    trained.has(method)
      ? []
      : [
          {
            key: `${block}/name/${method}`,
            stage: "name",
            method,
            members: [],
            x: column.x,
            y: top + row * ROW,
            width: column.width,
          },
        ],
  );
}

function edgesOf(
  boxes: readonly Box[],
  keyOfCell: ReadonlyMap<string, string>,
  columnOf: (stage: string) => { x: number } | undefined,
  topOf: (key: string) => number,
  trunkStep: number,
): Edge[] {
  const boxOf = new Map(boxes.map((box) => [box.key, box]));
  const edges = new Map<string, Edge>();
  for (const target of boxes) {
    for (const cell of target.members.flatMap((member) => member.parents)) {
      const source = boxOf.get(keyOfCell.get(cell) ?? "");
      const key = `${source?.key} → ${target.key}`;
      // What a search chose goes to every seed; its lines would run back through everything.
      if (source === undefined || source.stage === "search" || edges.has(key)) continue;
      const trunk =
        (columnOf(target.stage)?.x ?? 0) - 6 - trunkStep * laneOf(source.stage, target.stage);
      const [from, to] = [middle(source), middle(target)];
      const start = source.x + source.width;
      // The base model's line passes above a seed's runs, where nothing stands in its way.
      const path =
        source.stage === "base" && target.stage === "train"
          ? `M${start} ${from}H${start + 10}V${topOf(target.key)}H${trunk}V${to}H${target.x}`
          : from === to
            ? `M${start} ${from}H${target.x}`
            : `M${start} ${from}H${trunk}V${to}H${target.x}`;
      edges.set(key, { key, from: source.key, to: target.key, path });
    }
  }
  return [...edges.values()];
}

const middle = (box: Box): number => box.y + BOX_HEIGHT / 2;

/** Place of a source's trunk in the gap before a column: the nearest stage has the nearest trunk. */
function laneOf(source: string, target: string): number {
  if (MEASURING.includes(target)) return source === "assessment-sample" ? 0 : 1;
  if (target === "train") return 3 - Math.max(0, SOURCES.indexOf(source));
  return source === "base" ? 2 : source === "vft" ? 1 : 0;
}

const titleOf = (block: string, held: readonly GraphNode[], folded: boolean): string =>
  block === SEARCH_BLOCK
    ? "β chosen on validation"
    : folded
      ? foldedTitle(held)
      : held.some((node) => node.stage === "validate")
        ? `seed ${block}, for the choice of β`
        : `seed ${block}`;

function foldedTitle(nodes: readonly GraphNode[]): string {
  const seeds = [...new Set(nodes.map((node) => node.seed))];
  return seeds.length === 1 ? `seed ${seeds[0]}` : `each of ${seeds.length} seeds`;
}

function groupBy<Item>(items: readonly Item[], key: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
