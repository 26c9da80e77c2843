/** Log-probabilities as colours, and tokens as pieces of the text. */

export const LOWEST = -6;
/** Differences beyond this are drawn as this. */
export const WIDEST = 3;
/** Strongest tint: ink stays readable on it. */
const STRONGEST = 58;

export interface TokenPiece {
  text: string;
  /** Shows nothing: an end mark, or part of a character that a later token completes. */
  hidden: boolean;
  index: number;
}

/** Ends are counted in characters as the server does; the text may be cut. */
export function tokenPieces(text: string, ends: readonly number[]): TokenPiece[] {
  const offset = offsets(text);
  const shown = [...text].length;
  let start = 0;
  const pieces: TokenPiece[] = [];
  for (const [index, end] of ends.entries()) {
    const stop = offset(end);
    if (start >= text.length && end > shown) break;
    const piece = text.slice(start, stop);
    pieces.push({ text: piece, hidden: piece === "", index });
    start = Math.max(start, stop);
  }
  return pieces;
}

/** Tint of a log-probability on the fixed scale from −6 to 0, in percent of the heat colour. */
export function heat(logprob: number): number {
  const share = Math.min(1, Math.max(0, logprob / LOWEST));
  return Math.round(share * STRONGEST);
}

/** Tint of a difference centred on 0: how strong, and on which side. */
export function tint(difference: number): { side: "up" | "down" | "none"; strength: number } {
  const share = Math.min(1, Math.abs(difference) / WIDEST);
  // The square root keeps small differences visible beside large ones.
  const strength = Math.round(Math.sqrt(share) * STRONGEST);
  if (strength === 0) return { side: "none", strength: 0 };
  return { side: difference > 0 ? "up" : "down", strength };
}

function offsets(text: string): (codePoint: number) => number {
  if (!/[\ud800-\udbff]/.test(text)) return (codePoint) => Math.min(codePoint, text.length);
  const starts: number[] = [];
  for (let at = 0; at < text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1)
    starts.push(at);
  return (codePoint) => starts[codePoint] ?? text.length;
}
