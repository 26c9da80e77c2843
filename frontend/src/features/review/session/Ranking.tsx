import { ActionIcon } from "@mantine/core";
import { Icon } from "@/components/Icon";
import { type Draft, moveInRanking, tie } from "./draft";
import classes from "./Session.module.css";

interface Props {
  draft: Draft;
  focused: string;
  onFocus: (label: string) => void;
  onChange: (draft: Draft) => void;
}

/** The order so far, best first; ties stand in one place. */
export function Ranking({ draft, focused, onFocus, onChange }: Props) {
  return (
    <section className={classes.ranking} aria-label="Ranking, best first">
      <span className={classes.small}>{draft.ranked ? "Best first" : "Order to be decided"}</span>
      <ol className={classes.tiers} data-decided={draft.ranked}>
        {draft.tiers.map((tier, place) => (
          <li key={tier.join()} className={classes.tier}>
            <span className={classes.placeNumber}>{place + 1}</span>
            {tier.map((label) => (
              <button
                key={label}
                type="button"
                className={classes.ranked}
                aria-pressed={label === focused}
                aria-label={`COT ${label}, number ${place + 1}${tier.length > 1 ? ", tied" : ""}`}
                onClick={() => onFocus(label)}
              >
                {label}
              </button>
            ))}
          </li>
        ))}
      </ol>
      <div className={classes.moves}>
        <ActionIcon
          aria-label={`Move COT ${focused} up`}
          onClick={() => onChange(moveInRanking(draft, focused, -1))}
        >
          <Icon name="arrow-up" />
        </ActionIcon>
        <ActionIcon
          aria-label={`Move COT ${focused} down`}
          onClick={() => onChange(moveInRanking(draft, focused, 1))}
        >
          <Icon name="arrow-down" />
        </ActionIcon>
        <ActionIcon
          aria-label={`Tie COT ${focused} with the one above`}
          onClick={() => onChange(tie(draft, focused))}
        >
          =
        </ActionIcon>
      </div>
    </section>
  );
}
