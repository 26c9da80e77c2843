import { type RefObject, useCallback, useEffect, useRef } from "react";

interface Options {
  /** The question that is shown. */
  current: number | undefined;
  onOpen: (exampleId: number) => void;
  onHelp: () => void;
}

interface Keys {
  search: RefObject<HTMLInputElement | null>;
  columns: RefObject<HTMLDivElement | null>;
  /** Told which questions the list shows, in order. */
  onRows: (exampleIds: number[]) => void;
}

/** Whether a key belongs to what has the focus. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

/** The question a step away from the current one; the first or last where none is shown. */
export function neighbour(
  ids: readonly number[],
  current: number | undefined,
  step: 1 | -1,
): number | undefined {
  const distinct = [...new Set(ids)];
  const at = current === undefined ? -1 : distinct.indexOf(current);
  if (at < 0) return step === 1 ? distinct[0] : distinct.at(-1);
  return distinct[at + step];
}

/** The COT that a key leads to: n and p from the focused one, a to h by letter. */
export function cardFor(
  key: string,
  cards: readonly HTMLElement[],
  focused: Element | null,
): HTMLElement | undefined {
  const at = cards.findIndex((card) => card.contains(focused));
  if (key === "n") return cards[at + 1];
  if (key === "p") return at < 0 ? cards.at(-1) : cards[at - 1];
  return /^[a-h]$/.test(key) ? cards[key.charCodeAt(0) - "a".charCodeAt(0)] : undefined;
}

/** j and k open a question, n, p and a to h go to a COT, / to the search, ? shows the keys. Off while typing. */
export function useExplorerKeys({ current, onOpen, onHelp }: Options): Keys {
  const search = useRef<HTMLInputElement>(null);
  const columns = useRef<HTMLDivElement>(null);
  const rows = useRef<number[]>([]);
  // Keys come faster than the page is drawn: the next one goes on from where the last one led.
  const at = useRef(current);
  useEffect(() => {
    at.current = current;
  }, [current]);
  const onRows = useCallback((ids: number[]) => {
    rows.current = ids;
  }, []);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      // A dialog has its own keys.
      if (document.querySelector('[role="dialog"]') !== null) return;
      if (event.key === "/") search.current?.focus();
      else if (event.key === "?") onHelp();
      else if (event.key === "j" || event.key === "k") {
        const next = neighbour(rows.current, at.current, event.key === "j" ? 1 : -1);
        if (next === undefined) return;
        at.current = next;
        onOpen(next);
      } else {
        const cards = [...(columns.current?.querySelectorAll<HTMLElement>("[data-cot]") ?? [])];
        const card = cardFor(event.key, cards, document.activeElement);
        if (card === undefined) return;
        card.focus({ preventScroll: true });
        card.scrollIntoView({ block: "nearest" });
      }
      event.preventDefault();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [onOpen, onHelp]);
  return { search, columns, onRows };
}
