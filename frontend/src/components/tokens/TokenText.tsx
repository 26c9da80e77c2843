import { type CSSProperties, useMemo } from "react";
import { difference, fixed } from "@/components/format";
import { heat, tint, tokenPieces } from "./heat";
import classes from "./TokenText.module.css";

interface Props {
  text: string;
  ends: readonly number[];
  first: readonly number[];
  /** With it the difference is shown. */
  second: readonly number[] | undefined;
}

/** A text with every token on the colour scale; exact values in the tooltip. */
export function TokenText({ text, ends, first, second }: Props) {
  const pieces = useMemo(() => tokenPieces(text, ends), [text, ends]);
  return (
    <p className={classes.text}>
      {pieces.map(({ text: piece, hidden, index }) => {
        const value = first[index] ?? 0;
        const other = second?.[index];
        const change = other === undefined ? undefined : tint(value - other);
        const words =
          other === undefined
            ? `${fixed(value, 3)} nats`
            : `${fixed(value, 3)} − (${fixed(other, 3)}) = ${difference(value - other, 3)} nats`;
        return (
          <span
            key={index}
            className={classes.token}
            data-side={change === undefined ? "heat" : change.side}
            data-hidden={hidden}
            style={{ "--tint": `${change?.strength ?? heat(value)}%` } as CSSProperties}
            title={`${hidden ? "token without characters: " : ""}${words}`}
          >
            {hidden ? "▪" : piece}
          </span>
        );
      })}
    </p>
  );
}

/** The same as a table: for reading exact values, and for screen readers. */
export function TokenNumbers({ text, ends, first, second, name }: Props & { name: string }) {
  const pieces = useMemo(() => tokenPieces(text, ends), [text, ends]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keyboard
    <section className={classes.scroll} tabIndex={0} aria-label={`Tokens of ${name}`}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">#</th>
            <th scope="col">Token</th>
            <th scope="col">Under</th>
            {second !== undefined && <th scope="col">Second</th>}
            {second !== undefined && <th scope="col">Difference</th>}
          </tr>
        </thead>
        <tbody>
          {pieces.map(({ text: piece, hidden, index }) => (
            <tr key={index}>
              <td>{index + 1}</td>
              <td className={classes.shown}>
                {hidden ? "(no characters)" : JSON.stringify(piece)}
              </td>
              <td>{fixed(first[index], 3)}</td>
              {second !== undefined && <td>{fixed(second[index], 3)}</td>}
              {second !== undefined && (
                <td>{difference((first[index] ?? 0) - (second[index] ?? 0), 3)}</td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
