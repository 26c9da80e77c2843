import { expect, test } from "vitest";
import { clash, defaultKeys, keyParts, loadKeys, meaningOf, nameOf, saveKeys } from "./keys";

const pressed = (key: string, held: Partial<KeyboardEvent> = {}) => ({
  key,
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  ...held,
});

test("a key is named with what is held", () => {
  expect(nameOf(pressed("Z", { metaKey: true }))).toBe("Mod+z");
  expect(nameOf(pressed("ArrowUp", { altKey: true }))).toBe("Alt+ArrowUp");
  expect(nameOf(pressed("?", { shiftKey: true }))).toBe("?");
});

test("a letter focuses its COT, and with Shift means the action", () => {
  const keys = defaultKeys();
  expect(meaningOf(pressed("d"), keys, "rate", ["A", "B", "C", "D"])).toEqual({
    kind: "focus",
    label: "D",
  });
  expect(meaningOf(pressed("d"), keys, "rate", ["A"])).toEqual({ kind: "action", action: "diff" });
  expect(meaningOf(pressed("D", { shiftKey: true }), keys, "rate", ["A", "B", "C", "D"])).toEqual({
    kind: "action",
    action: "diff",
  });
});

test("digits rate, and only where there is something to rate", () => {
  const keys = defaultKeys();
  expect(meaningOf(pressed("0"), keys, "rate", ["A"])).toEqual({ kind: "rate", value: 10 });
  expect(meaningOf(pressed("7"), keys, "verify", ["A"])).toBeNull();
});

test("an arrow means what the mode says", () => {
  const keys = defaultKeys();
  expect(meaningOf(pressed("ArrowDown"), keys, "pair", ["A", "B"])).toEqual({
    kind: "action",
    action: "prefer-none",
  });
  expect(meaningOf(pressed("ArrowDown"), keys, "rate", ["A"])).toEqual({
    kind: "action",
    action: "step-down",
  });
});

test("a remapped key is kept, nonsense in the store is not", () => {
  saveKeys({ ...defaultKeys(), skip: "k" });
  expect(loadKeys().skip).toBe("k");
  localStorage.setItem("aft:review:keys", '{"skip": 7, "flag": ""}');
  expect(loadKeys()).toEqual(defaultKeys());
  localStorage.setItem("aft:review:keys", "{");
  expect(loadKeys()).toEqual(defaultKeys());
});

test("two actions of one mode may not share a key", () => {
  const keys = defaultKeys();
  expect(clash(keys, "flag", "s")).toBe("skip");
  expect(clash(keys, "right", "ArrowLeft")).toBeUndefined();
});

test("a binding is shown in parts", () => {
  expect(keyParts("Alt+ArrowUp")).toEqual(["Alt", "Up"]);
  expect(keyParts("Mod+z")).toEqual(["Mod", "Z"]);
});
