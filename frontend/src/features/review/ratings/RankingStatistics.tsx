import { Facts } from "@/components/Facts";
import { count, fixed } from "@/components/format";
import type { RankingStatistics as Statistics } from "./queries";
import classes from "./Ratings.module.css";

/** What a ranking set holds: questions, pairs, ties, what was left out and why, and how qualities spread. */
export function RankingStatistics({ statistics }: { statistics: Statistics }) {
  const most = Math.max(1, ...statistics.distribution.map((bin) => bin.n));
  return (
    <div className={classes.statistics}>
      <Facts
        items={[
          ["COTs", `${count(statistics.candidates)} of ${count(statistics.offered)}`],
          ["Questions", count(statistics.questions)],
          ["With a pair", count(statistics.questions_with_pairs)],
          ["Pairs", count(statistics.pairs)],
          ["Ties", count(statistics.ties)],
          ...Object.entries(statistics.dropped).map(
            ([reason, n]) => [`Left out: ${reason}`, count(n)] as const,
          ),
        ]}
      />
      <figure className={classes.histogram}>
        <div className={classes.bars} aria-hidden="true">
          {statistics.distribution.map((bin) => (
            <span
              key={bin.start}
              style={{ height: `${Math.max(bin.n > 0 ? 4 : 0, (bin.n / most) * 100)}%` }}
              title={`${fixed(bin.start, 1)} to ${fixed(bin.end, 1)}: ${count(bin.n)}`}
            />
          ))}
        </div>
        <figcaption>
          <span>{fixed(statistics.low, 0)}</span>
          <span>quality</span>
          <span>{fixed(statistics.high, 0)}</span>
        </figcaption>
        <span className="visually-hidden">
          {statistics.distribution
            .map((bin) => `${fixed(bin.start, 1)} to ${fixed(bin.end, 1)}: ${bin.n} COTs`)
            .join("; ")}
        </span>
      </figure>
    </div>
  );
}
