import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { paths } from "@/app/paths";
import { PageHeader } from "@/components/PageHeader";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import { JudgeRuns } from "./JudgeRuns";
import { JudgeSettings } from "./JudgeSettings";
import classes from "./Judges.module.css";
import { JudgeWork } from "./JudgeWork";
import { judgeOptions } from "./queries";
import { Spent } from "./Spent";

/** One judge: its endpoint, a try with the raw replies, its rating runs with their cost. */
export function JudgePage() {
  const { name = "" } = useParams();
  const judge = useQuery(judgeOptions(name));
  if (judge.isPending) return <PanelSkeleton rows={10} />;
  if (judge.isError)
    return <PanelError title="Judge" error={judge.error} onRetry={() => void judge.refetch()} />;
  return (
    <>
      <PageHeader
        title={judge.data.name}
        parent={{ label: "Settings", to: paths.settings }}
        facts={`${judge.data.model} · ${judge.data.base_url}`}
      />
      <div className={classes.page}>
        <Panel title="Used so far" note="all runs with this judge, tries not counted">
          <Spent judge={judge.data} />
        </Panel>
        <JudgeWork judge={judge.data} />
        <JudgeRuns judge={judge.data} />
        <JudgeSettings key={judge.data.name} judge={judge.data} />
      </div>
    </>
  );
}

/** A judge to be. */
export function NewJudgePage() {
  return (
    <>
      <PageHeader title="New judge" parent={{ label: "Settings", to: paths.settings }} />
      <JudgeSettings judge={null} />
    </>
  );
}
