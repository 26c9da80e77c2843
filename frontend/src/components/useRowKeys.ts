import { type KeyboardEvent, type RefObject, useEffect, useState } from "react";

interface Options {
  count: number;
  scroller: RefObject<HTMLElement | null>;
  scrollTo: (index: number) => void;
  onOpen: (index: number) => void;
  onToggle: (index: number) => void;
}

const PAGE = 10;

/** Where a key leads from a row, or null when the key does not move. */
export function nextRow(key: string, index: number, count: number): number | null {
  const within = (target: number) => Math.max(0, Math.min(count - 1, target));
  switch (key) {
    case "ArrowDown":
      return within(index + 1);
    case "ArrowUp":
      return within(index - 1);
    case "PageDown":
      return within(index + PAGE);
    case "PageUp":
      return within(index - PAGE);
    case "Home":
      return 0;
    case "End":
      return within(count - 1);
    default:
      return null;
  }
}

/** Keys on the rows of a virtual table: one row is the tab stop, arrows move it, rows out of view are fetched. */
export function useRowKeys({ count, scroller, scrollTo, onOpen, onToggle }: Options) {
  const [active, setActive] = useState(0);
  const [moving, setMoving] = useState(false);

  // Runs after every drawing until the row that was asked for is there to take the focus.
  useEffect(() => {
    if (!moving) return;
    const row = scroller.current?.querySelector<HTMLElement>(`tr[data-index="${active}"]`);
    if (row === null || row === undefined) return;
    row.focus({ preventScroll: true });
    setMoving(false);
  });

  const onKeyDown = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (target.tagName !== "TR") return; // a control inside the row has its own keys
    if (event.key === "Enter") onOpen(active);
    else if (event.key === " ") onToggle(active);
    else {
      const next = nextRow(event.key, active, count);
      if (next === null) return;
      setActive(next);
      setMoving(true);
      scrollTo(next);
    }
    event.preventDefault();
  };
  return { tabStop: Math.min(active, Math.max(0, count - 1)), onFocus: setActive, onKeyDown };
}
