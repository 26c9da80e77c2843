/** The height that the server gives to a figure, or one for those it leaves to the page. */
export function figureHeight(figure: Record<string, unknown>, otherwise: number): number {
  const layout = figure.layout as { height?: unknown } | undefined;
  return typeof layout?.height === "number" ? layout.height : otherwise;
}
