import type { RefObject } from "react";
import { Icon } from "@/components/Icon";
import type { Item } from "../queries";
import classes from "./Session.module.css";
import type { Entry } from "./trail";

interface Props {
  item: Item;
  heading: RefObject<HTMLHeadingElement | null>;
  number: number;
  status: Entry["status"];
  showsGold: boolean;
}

const STATUS: Record<Entry["status"], string> = {
  open: "",
  submitted: "Submitted before · submitting again replaces it",
  skipped: "Skipped before · submitting counts",
};

/** The question, and as much of the answer as the queue shows. */
export function QuestionPane({ item, heading, number, status, showsGold }: Props) {
  return (
    <section className={classes.question} aria-label="Question">
      <h1 ref={heading} tabIndex={-1} className={classes.small}>
        Question <span className="visually-hidden">{number}</span>
      </h1>
      {status !== "open" && <p className={classes.before}>{STATUS[status]}</p>}
      <p className={classes.text}>{item.question}</p>
      {item.choices !== null && (
        <ol type="A" className={classes.choices}>
          {item.choices.map((choice, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: choices can repeat and are never reordered
            <li key={index}>{choice}</li>
          ))}
        </ol>
      )}
      {item.reference !== null && (
        <>
          <h2 className={classes.small}>Reference</h2>
          <p className={classes.reference}>{item.reference}</p>
        </>
      )}
      {item.gold_answer !== null && showsGold && (
        <p className={classes.gold} role="status">
          Gold answer <strong>{item.gold_answer}</strong>
        </p>
      )}
      {item.gold_answer === null && item.reference === null && (
        <p className={classes.blind}>
          <Icon name="slash" size={14} /> Blind: no model, score, label or gold answer is sent here.
        </p>
      )}
    </section>
  );
}
