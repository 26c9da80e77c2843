import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";

// Files share a process: fake timers left behind would make the next file's clicks wait for ever.
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

// A page's first visit compiles its chunk, which on a busy machine takes seconds.
configure({ asyncUtilTimeout: 10_000 });

// Mantine and the virtual table ask for these; jsdom has no layout to answer with.
Object.defineProperty(window, "matchMedia", {
  writable: true,
  value: (query: string) => ({
    matches: false,
    media: query,
    onchange: null,
    addEventListener: vi.fn(),
    removeEventListener: vi.fn(),
    addListener: vi.fn(),
    removeListener: vi.fn(),
    dispatchEvent: vi.fn(),
  }),
});

class Observer {
  observe() {}
  unobserve() {}
  disconnect() {}
}
window.ResizeObserver = Observer as unknown as typeof ResizeObserver;
window.HTMLElement.prototype.scrollIntoView = () => {};
window.HTMLElement.prototype.scrollTo = () => {};
for (const [side, pixels] of [
  ["Width", 800],
  ["Height", 600],
] as const)
  for (const box of ["client", "offset"])
    Object.defineProperty(window.HTMLElement.prototype, box + side, {
      configurable: true,
      get: () => pixels,
    });
