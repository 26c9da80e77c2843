import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { notifyError } from "@/components/notify";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { Legend } from "@/components/tokens/Legend";
import { TokenText } from "@/components/tokens/TokenText";
import { type Known, setModelsOptions, tokensOptions, useComputeTokens } from "../queries";
import classes from "./Session.module.css";

/** A COT with each token's log-probability, where the queue is not blind: under the first model that scored it. */
export function CandidateTokens({ known, text }: { known: Known; text: string }) {
  const models = useQuery({
    ...setModelsOptions(known.run_id),
    enabled: known.scores.length === 0,
  });
  const [scored] = known.scores;
  const [other] = models.data ?? [];
  const model = scored ?? other;
  const tokens = useQuery(tokensOptions(known.run_id, known.example_id, model?.model_run_id));
  const compute = useComputeTokens(known.run_id, known.example_id);
  const failed = models.error ?? tokens.error;
  if (failed !== null) return <PanelError title="Tokens" error={failed} />;
  if (model === undefined)
    return models.isLoading ? (
      <PanelSkeleton rows={4} />
    ) : (
      <p className={classes.dim}>No finished model is at hand that could score tokens.</p>
    );
  if (tokens.data === undefined) return <PanelSkeleton rows={4} />;
  const line = tokens.data.lines.find((one) => one.candidate_id === known.candidate_id);
  const logprobs = line?.models[0]?.logprobs ?? null;
  if (line !== undefined && logprobs !== null && line.ends.length > 0)
    return (
      <>
        <Legend first={model.model} second={undefined} />
        <TokenText text={line.text} ends={line.ends} first={logprobs} second={undefined} />
      </>
    );
  const run = tokens.data.pending.find((one) => one.model_run_id === model.model_run_id);
  return (
    <>
      {run === undefined ? (
        <Button
          size="xs"
          variant="default"
          loading={compute.isPending}
          onClick={() => compute.mutate(model.model_run_id, { onError: notifyError })}
        >
          Compute tokens under {model.model}
        </Button>
      ) : (
        <p className={classes.dim} role="status">
          {run.state === "failed"
            ? `The tokens could not be computed: ${run.problem ?? "see the run's log"}`
            : `Computing the tokens under ${model.model}.`}
        </p>
      )}
      <p className={classes.plain}>{text}</p>
    </>
  );
}
