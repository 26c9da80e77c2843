import { expect, it } from "vitest";
import { neighbour } from "./useExplorerKeys";

it("moves through questions, each once", () => {
  const ids = [3, 3, 8, 5];
  expect(neighbour(ids, undefined, 1)).toBe(3);
  expect(neighbour(ids, undefined, -1)).toBe(5);
  expect(neighbour(ids, 3, 1)).toBe(8);
  expect(neighbour(ids, 8, -1)).toBe(3);
  expect(neighbour(ids, 5, 1)).toBeUndefined();
  expect(neighbour(ids, 99, 1)).toBe(3);
  expect(neighbour([], 3, 1)).toBeUndefined();
});
