import type { Mode } from "../queries";

export type Action =
  | "submit"
  | "skip"
  | "flag"
  | "note"
  | "diff"
  | "tokens"
  | "gold"
  | "previous"
  | "next"
  | "undo"
  | "keys"
  | "right"
  | "wrong"
  | "unsure"
  | "rank-up"
  | "rank-down"
  | "tie"
  | "prefer-left"
  | "prefer-right"
  | "prefer-none"
  | "step-down"
  | "step-up"
  | "step-wrong"
  | "full-screen";

interface Binding {
  action: Action;
  keys: string;
  words: string;
  /** Modes in which it means something; all by default. */
  modes?: readonly Mode[];
}

/** Every key of a review session. Letters of COTs and digits are not remapped: they are what they say. */
export const BINDINGS: readonly Binding[] = [
  { action: "submit", keys: "Enter", words: "Submit and go on" },
  { action: "right", keys: "y", words: "Right", modes: ["verify"] },
  { action: "wrong", keys: "n", words: "Wrong", modes: ["verify"] },
  { action: "unsure", keys: "u", words: "Unsure", modes: ["verify"] },
  { action: "prefer-left", keys: "ArrowLeft", words: "The left one is better", modes: ["pair"] },
  { action: "prefer-right", keys: "ArrowRight", words: "The right one is better", modes: ["pair"] },
  { action: "prefer-none", keys: "ArrowDown", words: "Tie", modes: ["pair"] },
  { action: "rank-up", keys: "Alt+ArrowUp", words: "Move up in the ranking", modes: ["rank"] },
  {
    action: "rank-down",
    keys: "Alt+ArrowDown",
    words: "Move down in the ranking",
    modes: ["rank"],
  },
  { action: "tie", keys: "=", words: "Tie with the one above, or part again", modes: ["rank"] },
  { action: "step-down", keys: "ArrowDown", words: "Next step", modes: ["verify", "rate", "rank"] },
  {
    action: "step-up",
    keys: "ArrowUp",
    words: "Step before",
    modes: ["verify", "rate", "rank"],
  },
  {
    action: "step-wrong",
    keys: "x",
    words: "Mark the step wrong, or right again",
    modes: ["verify", "rate", "rank"],
  },
  { action: "skip", keys: "s", words: "Skip, with a reason" },
  { action: "flag", keys: "f", words: "Flag" },
  { action: "note", keys: "m", words: "Write a note" },
  { action: "diff", keys: "d", words: "Difference to the reference" },
  { action: "tokens", keys: "t", words: "Token log-probabilities" },
  { action: "gold", keys: "g", words: "Gold answer" },
  { action: "previous", keys: "[", words: "Item before" },
  { action: "next", keys: "]", words: "Next item" },
  { action: "undo", keys: "Mod+z", words: "Take the last submit back" },
  { action: "full-screen", keys: "z", words: "Full screen" },
  { action: "keys", keys: "?", words: "All keys" },
];

export type KeyMap = Record<Action, string>;

const STORE = "aft:review:keys";

export const defaultKeys = (): KeyMap =>
  Object.fromEntries(BINDINGS.map((one) => [one.action, one.keys])) as KeyMap;

export function loadKeys(): KeyMap {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORE) ?? "{}");
    const map = defaultKeys();
    if (typeof stored !== "object" || stored === null) return map;
    for (const { action } of BINDINGS) {
      const keys = (stored as Record<string, unknown>)[action];
      if (typeof keys === "string" && keys.length > 0 && keys.length < 40) map[action] = keys;
    }
    return map;
  } catch {
    return defaultKeys();
  }
}

export function saveKeys(map: KeyMap): void {
  try {
    localStorage.setItem(STORE, JSON.stringify(map));
  } catch {
    // Without storage the keys last as long as the page.
  }
}

type Pressed = Pick<KeyboardEvent, "key" | "altKey" | "ctrlKey" | "metaKey">;

/** A pressed key by its name: `Mod+z`, `Alt+ArrowUp`, `?`. Shift shows in the character itself. */
export function nameOf(event: Pressed): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const prefix = `${event.ctrlKey || event.metaKey ? "Mod+" : ""}${event.altKey ? "Alt+" : ""}`;
  return prefix + key;
}

/** Whether two bindings could be meant by one key in some mode. */
export function clash(map: KeyMap, action: Action, keys: string): Action | undefined {
  const modesOf = (one: Action) => BINDINGS.find((binding) => binding.action === one)?.modes;
  const mine = modesOf(action);
  return BINDINGS.find(({ action: other, modes }) => {
    if (other === action || map[other] !== keys) return false;
    return mine === undefined || modes === undefined || mine.some((mode) => modes.includes(mode));
  })?.action;
}

export type Meaning =
  | { kind: "action"; action: Action }
  | { kind: "focus"; label: string }
  | { kind: "rate"; value: number };

/**
 * What a pressed key means for an item. A letter of a COT wins over an action on the same letter;
 * with Shift the action is meant.
 */
export function meaningOf(
  event: Pressed & Pick<KeyboardEvent, "shiftKey">,
  map: KeyMap,
  mode: Mode,
  labels: readonly string[],
): Meaning | null {
  const name = nameOf(event);
  const upper = event.key.toUpperCase();
  const isCot = /^[A-H]$/.test(upper) && labels.includes(upper);
  if (isCot && name.length === 1 && !event.shiftKey) return { kind: "focus", label: upper };
  if (mode === "rate" && /^[0-9]$/.test(name))
    return { kind: "rate", value: name === "0" ? 10 : Number(name) };
  const found = BINDINGS.find(
    ({ action, modes }) => map[action] === name && (modes === undefined || modes.includes(mode)),
  );
  return found === undefined ? null : { kind: "action", action: found.action };
}

/** The parts of a binding for a key hint. */
export const keyParts = (keys: string): string[] => {
  const parts = keys === "+" ? ["+"] : keys.split(/\+(?=.)/);
  return parts.map((part) =>
    part.startsWith("Arrow") ? part.slice(5) : part.length === 1 ? part.toUpperCase() : part,
  );
};
