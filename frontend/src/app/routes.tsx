import type { ComponentType } from "react";
import { createBrowserRouter, type RouteObject } from "react-router";
import { Layout } from "./Layout";
import { NotFoundPage } from "./NotFoundPage";
import { RouteError } from "./RouteError";
import { StartingPage } from "./StartingPage";

/**
 * A feature is on the map when it has a `routes.tsx` that exports `Component`, which holds the routes
 * below its address. Each is a chunk of its own, fetched on the first visit.
 */
const features = import.meta.glob<{ Component: ComponentType }>("../features/*/routes.tsx");

/** Features whose address is not their name. */
const ADDRESSES: Record<string, string> = { guide: "how-it-works", access: "expired" };

const pages: RouteObject[] = Object.entries(features).map(([file, load]) => {
  const noun = file.split("/").at(-2) ?? "";
  const lazy = async () => ({ Component: (await load()).Component });
  return noun === "home" ? { index: true, lazy } : { path: `${ADDRESSES[noun] ?? noun}/*`, lazy };
});

export const routes: RouteObject[] = [
  {
    path: "/",
    Component: Layout,
    ErrorBoundary: RouteError,
    HydrateFallback: StartingPage,
    children: [
      {
        ErrorBoundary: RouteError,
        children: [...pages, { path: "*", Component: NotFoundPage }],
      },
    ],
  },
];

/** Fetches every page while nothing else happens, so that the next one opens at once, also offline. */
export function fetchPagesWhenIdle(): void {
  const idle = window.requestIdleCallback ?? ((work: () => void) => setTimeout(work, 2_000));
  idle(() => {
    // A page that cannot be fetched now is fetched when it is visited, and says then what is wrong.
    for (const load of Object.values(features)) load().catch(() => undefined);
  });
}

export const createRouter = () => createBrowserRouter(routes);
