import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { api, unwrap } from "@/api/client";
import { paths } from "@/app/paths";

/** Starts the demo, or finds the one that runs, and goes to its experiment. */
export function useDemo() {
  const navigate = useNavigate();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => unwrap(await api.POST("/api/v1/demo")),
    onSuccess: ({ experiment_id }) => {
      void client.invalidateQueries({ queryKey: ["experiments"] });
      void client.invalidateQueries({ queryKey: ["system"] });
      return navigate(paths.experiment(experiment_id));
    },
  });
}
