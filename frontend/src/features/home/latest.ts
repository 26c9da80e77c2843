import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";

const SHOWN = 8;

/** The newest experiments. */
export const latestOptions = () =>
  queryOptions({
    queryKey: ["experiments", "list", { limit: SHOWN }],
    queryFn: async () =>
      unwrap(await api.GET("/api/v1/experiments", { params: { query: { limit: SHOWN } } })),
  });
