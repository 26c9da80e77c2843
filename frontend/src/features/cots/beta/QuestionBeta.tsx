import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import type { QuestionGroup } from "../queries";
import { ScoreUnder } from "../ScoreUnder";
import { withValues } from "../selection";
import { DEFAULT_BETA, readBeta } from "./axis";
import classes from "./Beta.module.css";
import { BetaSlider } from "./BetaSlider";
import { betaQuestionOptions } from "./queries";
import { Strip } from "./Strip";

interface Props {
  setId: string;
  group: QuestionGroup;
  model: string | undefined;
}

/** One question under a β. */
export function QuestionBeta({ setId, group, model }: Props) {
  const [query, setQuery] = useSearchParams();
  const beta = readBeta(query.get("beta")) ?? DEFAULT_BETA;
  const [asked] = useDebouncedValue(beta, 60);
  const question = useQuery({
    ...betaQuestionOptions(setId, group.example_id, {
      model: model ?? "",
      feedback: "binary",
      beta: asked,
    }),
    enabled: model !== undefined,
  });
  if (model === undefined)
    return (
      <Panel title="Under a β">
        <p className={classes.dim}>No model has scored this set, so there is nothing to place.</p>
        <ScoreUnder setId={setId} />
      </Panel>
    );
  return (
    <Panel title="Under a β" note="AFT's gradient by each score, as training would take it">
      <BetaSlider
        beta={beta}
        onChange={(value) =>
          setQuery((before) => withValues(before, { beta: String(value) }), { replace: true })
        }
      />
      {question.isError ? (
        <PanelError error={question.error} onRetry={() => void question.refetch()} />
      ) : question.data === undefined ? (
        <PanelSkeleton rows={5} />
      ) : (
        <Strip question={question.data} beta={beta} />
      )}
    </Panel>
  );
}
