import type { Source } from "./queries";

export function RatingFiles({
  source: _source,
  raters: _raters,
}: {
  source: Source;
  raters: number;
}) {
  return null;
}
