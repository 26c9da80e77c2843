/** A step of a COT: a line, or a sentence where everything is on one line. */
export interface Step {
  text: string;
  /** In code points, as the server counts; the end not included. */
  start: number;
  end: number;
}

const SENTENCE = /[^.!?]*[.!?]+(?=\s|$)\s*|[^.!?]+$|[\s\S]/g;

/** The steps of a text, in order and without gaps in what is shown. */
export function stepsOf(text: string): Step[] {
  const lines = text.split("\n");
  const filled = lines.filter((line) => line.trim() !== "");
  const parts = filled.length > 1 ? lines.map((line) => `${line}\n`) : sentences(text);
  const steps: Step[] = [];
  let at = 0;
  for (const part of parts) {
    const shown = part.trimEnd();
    const lead = shown.length - shown.trimStart().length;
    if (shown.trim() !== "")
      steps.push({
        text: shown.slice(lead),
        start: at + length(shown.slice(0, lead)),
        end: at + length(shown),
      });
    at += length(part);
  }
  return steps;
}

function sentences(text: string): string[] {
  const found: string[] = [];
  let rest = "";
  for (const [part] of text.matchAll(SENTENCE)) {
    rest += part;
    // "3.5" and "e.g." end no sentence; a full stop before a space and after a word of two letters does.
    if (/\p{L}{2}[.!?]+\s*$|[)\]\d][.!?]+\s+$/u.test(rest)) {
      found.push(rest);
      rest = "";
    }
  }
  if (rest !== "") found.push(rest);
  return found;
}

const length = (text: string): number => {
  let n = 0;
  for (const _ of text) n += 1;
  return n;
};
