import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./errors";

// A refusal stays a refusal; only a server that is away or failing deserves another try.
const worthRetrying = (failures: number, error: Error): boolean =>
  failures < 2 && !(error instanceof ApiError && error.status > 0 && error.status < 500);

/** Server state. Keys begin with the noun: ["runs", "list", filters], ["runs", id, "figures", name]. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: worthRetrying,
      retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 4_000),
      // The live stream says when something changed; until then what is here is right.
      staleTime: 30_000,
      refetchOnWindowFocus: false,
    },
    mutations: { retry: false },
  },
});
