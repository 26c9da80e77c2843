declare module "plotly.js-basic-dist-min" {
  interface PlotPoint {
    x: unknown;
    y: unknown;
    customdata: unknown;
    curveNumber: number;
    pointNumber: number;
    data: { name?: string; meta?: unknown };
  }
  interface PlotElement extends HTMLElement {
    on(event: "plotly_click", listener: (event: { points: PlotPoint[] }) => void): void;
    removeAllListeners(event: string): void;
  }
  interface Plotly {
    react(
      element: HTMLElement,
      data: unknown[],
      layout: object,
      config: object,
    ): Promise<PlotElement>;
    purge(element: HTMLElement): void;
    /** A data URL. */
    toImage(
      figure: { data: unknown[]; layout: object },
      options: { format: "png" | "svg"; width: number; height: number; scale: number },
    ): Promise<string>;
  }
  const plotly: Plotly;
  export default plotly;
  export type { PlotElement, Plotly, PlotPoint };
}
