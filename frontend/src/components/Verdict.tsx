import { Icon, type IconName } from "./Icon";
import classes from "./Verdict.module.css";

export type VerdictName = "right" | "wrong" | "unparsed" | "truncated";

export const VERDICTS: Record<VerdictName, { icon: IconName; meaning: string }> = {
  right: { icon: "check", meaning: "The answer read equals the gold answer." },
  wrong: { icon: "cross", meaning: "The answer read differs from the gold answer." },
  unparsed: { icon: "question", meaning: "No answer could be read." },
  truncated: { icon: "scissors", meaning: "Cut at the length limit; never counts as right." },
};

interface Props {
  verdict: VerdictName;
  /** A number behind the word: how many. */
  count?: string;
  /** Only icon and number; the word stays for screen readers. */
  compact?: boolean;
}

/** Right, wrong, unparsed or truncated: icon, word and colour, never colour alone. */
export function Verdict({ verdict, count, compact = false }: Props) {
  return (
    <span className={classes.verdict} data-verdict={verdict}>
      <Icon name={VERDICTS[verdict].icon} size={14} />
      <span className={compact ? "visually-hidden" : undefined}>{verdict}</span>
      {count !== undefined && <span className="numbers">{count}</span>}
    </span>
  );
}
