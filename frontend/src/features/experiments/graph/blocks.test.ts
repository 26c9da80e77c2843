import { expect, test } from "vitest";
import { ofBlock } from "./blocks";

const node = (cell: string, block: string, ...parents: string[]) => ({ cell, block, parents });

test("a block is shown with the runs of others that it needs", () => {
  const nodes = [
    node("base", "d1m1"),
    node("train", "d1m1", "base"),
    node("evaluate", "d1m1", "train"),
    node("d2m1/train", "d2m1", "base"),
    node("d1m1t1/evaluate", "d1m1t1", "train"),
  ];
  const cells = (block: string) => ofBlock(nodes, block).map((one) => one.cell);
  expect(cells("d1m1")).toEqual(["base", "train", "evaluate"]);
  expect(cells("d2m1")).toEqual(["base", "d2m1/train"]);
  expect(cells("d1m1t1")).toEqual(["base", "train", "d1m1t1/evaluate"]);
});
