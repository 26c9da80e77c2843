interface Placed {
  cell: string;
  block: string;
  parents: readonly string[];
}

/** The runs of a data set and model, with those of other ones that they wait for: a base model is made once. */
export function ofBlock<T extends Placed>(nodes: readonly T[], block: string | undefined): T[] {
  const byCell = new Map(nodes.map((node) => [node.cell, node]));
  const shown = new Set<string>();
  const show = (node: T) => {
    if (shown.has(node.cell)) return;
    shown.add(node.cell);
    for (const cell of node.parents) {
      const parent = byCell.get(cell);
      if (parent !== undefined) show(parent);
    }
  };
  for (const node of nodes) if (node.block === block) show(node);
  return nodes.filter((node) => shown.has(node.cell));
}
