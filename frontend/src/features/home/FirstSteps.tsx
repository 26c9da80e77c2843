import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { Icon, type IconName } from "@/components/Icon";
import { PanelError } from "@/components/PanelError";
import { useDemo } from "./demo";
import classes from "./FirstSteps.module.css";

/** Three ways to begin. */
export function FirstSteps() {
  const demo = useDemo();
  return (
    <>
      <div className={classes.cards}>
        <Card
          icon="bolt"
          title="Run the demo on this machine"
          facts={["10 methods × 3 seeds", "about 10 minutes on 2 CPU cores", "no network"]}
          action={
            <Button loading={demo.isPending} onClick={() => demo.mutate()}>
              Run the demo
            </Button>
          }
        >
          Makes a small language model, trains it with every method on word problems, and measures
          which one reasons better. All of it is computed here, and you watch it happen.
        </Card>
        <Card
          icon="datasets"
          title="Upload a data set"
          facts={[
            "GSM8K, AQUA-RAT, ECQA, MMLU recognised",
            "any other by its columns",
            "gigabytes are streamed",
          ]}
          action={
            <Button variant="default" component={Link} to={paths.newDataset}>
              Upload a data set
            </Button>
          }
        >
          Questions with reference chains of thought and gold answers, as JSONL, JSON, CSV, TSV or
          Parquet. You see how each row is read before anything is kept.
        </Card>
        <Card
          icon="book"
          title="Read how it works"
          facts={["the losses and constraints", "what is measured", "what not to conclude"]}
          action={
            <Button variant="default" component={Link} to={paths.howItWorks}>
              Read how it works
            </Button>
          }
        >
          Fine-tuned models often give wrong chains of thought a better score than right ones. How
          ranking losses repair that, and how they break a model without a constraint.
        </Card>
      </div>
      {demo.isError && (
        <div className={classes.error}>
          <PanelError error={demo.error} onRetry={() => demo.mutate()} />
        </div>
      )}
    </>
  );
}

interface CardProps {
  icon: IconName;
  title: string;
  facts: readonly string[];
  action: ReactNode;
  children: ReactNode;
}

function Card({ icon, title, facts, action, children }: CardProps) {
  return (
    <section className={classes.card}>
      <h2 className={classes.title}>
        <Icon name={icon} size={18} />
        {title}
      </h2>
      <p className={classes.text}>{children}</p>
      <ul className={classes.facts}>
        {facts.map((fact) => (
          <li key={fact}>{fact}</li>
        ))}
      </ul>
      <div className={classes.action}>{action}</div>
    </section>
  );
}
