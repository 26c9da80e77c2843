import { Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { paths } from "@/app/paths";
import { Alarms } from "@/components/Alarms";
import classes from "./ComparePage.module.css";
import type { CompareState } from "./compareState";
import { ExperimentFigure } from "./ExperimentFigure";
import { experimentOptions, type FigureName } from "./queries";

interface Props {
  experimentId: string;
  state: CompareState;
  onChange: (change: Partial<CompareState>) => void;
}

interface Group {
  value: string;
  label: string;
  about: string;
  figures: { name: FigureName; title: string }[];
}

const GROUPS: Group[] = [
  {
    value: "training",
    label: "During training",
    about: "What happens on the way: validation accuracy, and how hard scores are pushed.",
    figures: [
      { name: "curves", title: "Validation task accuracy during training" },
      { name: "push", title: "Push on scores during training" },
    ],
  },
  {
    value: "scores",
    label: "Scores",
    about:
      "How each model scores fresh right and wrong COTs: the gap between them, and how far both moved.",
    figures: [
      { name: "scores", title: "Scores of right and wrong COTs" },
      { name: "calibration", title: "Is a wider margin more often right?" },
    ],
  },
  {
    value: "degradation",
    label: "Degradation",
    about:
      "The paper's signature of over-punishing: assessment accuracy up while task accuracy falls and perplexity rises.",
    figures: [
      { name: "watch", title: "Degradation during training" },
      { name: "degradation", title: "Against the baseline" },
    ],
  },
  {
    value: "sweeps",
    label: "Sweeps",
    about:
      "Settings that this experiment varies: β, factors, weights, k and α, where there are any; and majority votes.",
    figures: [
      { name: "sweep", title: "Task accuracy over the setting that varies" },
      { name: "votes", title: "Self-consistency" },
      { name: "parallel", title: "Settings and results together" },
    ],
  },
];

/** Figures of an experiment's plan, which runs chosen from several do not have. */
const OF_THE_PLAN: ReadonlySet<FigureName> = new Set(["watch", "sweep", "parallel"]);

/** The other figures, by what they are for; only the open group is asked for. */
export function MoreFigures(shared: Props) {
  const chosen = shared.state.runs.length > 0;
  const experiment = useQuery({ ...experimentOptions(shared.experimentId), enabled: !chosen });
  const alarms = experiment.data?.alarms ?? [];
  return (
    <Tabs defaultValue="training" keepMounted={false} className={classes.more}>
      <Tabs.List>
        {GROUPS.map((group) => (
          <Tabs.Tab key={group.value} value={group.value}>
            {group.label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {GROUPS.map((group) => (
        <Tabs.Panel key={group.value} value={group.value} pt={12}>
          <p className={classes.about}>{group.about}</p>
          {group.value === "degradation" && alarms.length > 0 && (
            <div className={classes.alarms}>
              <Alarms alarms={alarms} hrefOf={paths.run} />
            </div>
          )}
          <div className={classes.figures}>
            {group.figures
              .filter((figure) => !chosen || !OF_THE_PLAN.has(figure.name))
              .map((figure) => (
                <ExperimentFigure key={figure.name} {...figure} {...shared} />
              ))}
          </div>
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
