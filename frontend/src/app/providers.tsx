import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { connection } from "@/api/connection";
import { startLive } from "@/api/live";
import { queryClient } from "@/api/queryClient";
import { cssVariables, theme } from "./theme";

/** Everything a page finds around it: theme, server state, the live stream. */
export function Providers({ children }: { children: ReactNode }) {
  useEffect(() => startLive(queryClient), []);
  useEffect(() => connection.onRestored(() => void queryClient.invalidateQueries()), []);
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        {children}
        <Notifications position="bottom-right" autoClose={6000} limit={4} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
