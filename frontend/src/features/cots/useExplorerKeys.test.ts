import { expect, it } from "vitest";
import { cardFor, neighbour } from "./useExplorerKeys";

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

it("goes to a COT by letter, and on from the one that has the focus", () => {
  const cards = ["A", "B", "C"].map(() => document.createElement("article"));
  const [a, b, c] = cards as [HTMLElement, HTMLElement, HTMLElement];
  const inside = b.appendChild(document.createElement("button"));
  expect(cardFor("b", cards, null)).toBe(b);
  expect(cardFor("h", cards, null)).toBeUndefined();
  expect(cardFor("n", cards, null)).toBe(a);
  expect(cardFor("n", cards, inside)).toBe(c);
  expect(cardFor("n", cards, c)).toBeUndefined();
  expect(cardFor("p", cards, inside)).toBe(a);
  expect(cardFor("p", cards, a)).toBeUndefined();
  expect(cardFor("p", cards, null)).toBe(c);
  expect(cardFor("x", cards, null)).toBeUndefined();
});
