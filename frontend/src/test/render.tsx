import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactElement } from "react";
import { MemoryRouter } from "react-router";
import { cssVariables, theme } from "@/app/theme";

/** Renders with theme and server state, for what brings its own router. No retries, no transitions. */
export function renderApart(element: ReactElement) {
  const client = new QueryClient({
    defaultOptions: { queries: { retry: false }, mutations: { retry: false } },
  });
  const view = render(
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} env="test">
      <QueryClientProvider client={client}>{element}</QueryClientProvider>
    </MantineProvider>,
  );
  return { ...view, client };
}

/** Renders inside what every page has around it. */
export const renderPage = (element: ReactElement, { path = "/" }: { path?: string } = {}) =>
  renderApart(<MemoryRouter initialEntries={[path]}>{element}</MemoryRouter>);
