import classes from "./DiffText.module.css";
import { wordDiff } from "./wordDiff";

interface Props {
  here: string;
  there: string;
  /** What the words are called that only the other text has; for screen readers. */
  thereName?: string;
}

/** A text with what it has more and less than another, word by word: added underlined, missing struck out. */
export function DiffText({ here, there, thereName = "the other" }: Props) {
  const runs = wordDiff(here, there);
  if (runs === null) return <p className={classes.note}>Too long to compare word by word.</p>;
  return (
    <p className={classes.text}>
      {runs.map((run, index) => {
        if (run.kind === "same") return run.text;
        const Tag = run.kind === "only-here" ? "ins" : "del";
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: runs of one text in their order
          <Tag key={index} title={run.kind === "only-here" ? "only here" : `only in ${thereName}`}>
            {run.text}
          </Tag>
        );
      })}
    </p>
  );
}
