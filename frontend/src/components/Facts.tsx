import { Fragment, type ReactNode } from "react";
import classes from "./Facts.module.css";

interface Props {
  items: readonly (readonly [name: string, value: ReactNode])[];
}

/** Names and values, aligned: what is true of one thing. */
export function Facts({ items }: Props) {
  return (
    <dl className={classes.facts}>
      {items.map(([name, value]) => (
        <Fragment key={name}>
          <dt className={classes.name}>{name}</dt>
          <dd className={classes.value}>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
