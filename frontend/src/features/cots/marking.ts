import type { Candidate } from "./queries";

export interface Piece {
  text: string;
  kind: "plain" | "answer" | "wrong-step";
}

/**
 * A candidate's text in pieces: the answer that was read and the steps that a rater marked wrong.
 * Where they overlap the answer wins. Spans beyond the text that is shown are cut.
 */
export function pieces(candidate: Pick<Candidate, "text" | "answer_span" | "ratings">): Piece[] {
  const { text } = candidate;
  const kinds: Piece["kind"][] = new Array(text.length).fill("plain");
  const paint = (span: { start: number; end: number }, kind: Piece["kind"]) => {
    for (let at = Math.max(0, span.start); at < Math.min(span.end, text.length); at += 1)
      kinds[at] = kind;
  };
  // The server counts code points; a text outside the basic plane would shift the marks.
  const offset = offsets(text);
  const shifted = (span: { start: number; end: number }) => ({
    start: offset(span.start),
    end: offset(span.end),
  });
  for (const rating of candidate.ratings)
    for (const step of rating.wrong_steps) paint(shifted(step), "wrong-step");
  if (candidate.answer_span !== null) paint(shifted(candidate.answer_span), "answer");
  const found: Piece[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const kind = kinds[at] ?? "plain";
    const last = found.at(-1);
    if (last?.kind === kind) last.text += text[at];
    else found.push({ text: text[at] ?? "", kind });
  }
  return found;
}

function offsets(text: string): (codePoint: number) => number {
  if (!/[\ud800-\udbff]/.test(text)) return (codePoint) => codePoint;
  const starts: number[] = [];
  for (let at = 0; at < text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1)
    starts.push(at);
  return (codePoint) => starts[codePoint] ?? text.length;
}
