import { ActionIcon, Skeleton, Tooltip, useComputedColorScheme } from "@mantine/core";
import type { PlotElement, PlotPoint } from "plotly.js-basic-dist-min";
import {
  type ReactNode,
  useDeferredValue,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import classes from "./Figure.module.css";
import { FigureExport } from "./FigureExport";
import { FigureTable } from "./FigureTable";
import { isEmpty, legendRoom, themed } from "./figureTheme";
import { Icon } from "./Icon";
import { inTurn } from "./inTurn";
import { loadPlotly } from "./loadPlotly";
import { Panel } from "./Panel";
import { PanelError } from "./PanelError";

/** A figure as the API sends it. */
export interface FigureData {
  title: string;
  /** The finding's subject in words, for those who do not see the picture. */
  description: string;
  figure: Record<string, unknown>;
  columns: string[];
  rows: unknown[][];
}

export interface FigurePoint {
  x: unknown;
  y: unknown;
  /** Name of the trace: the method's label. */
  name: string | undefined;
  customdata: unknown;
  /** The trace's own data, for links to its runs. */
  meta: unknown;
}

interface Props {
  figure: FigureData;
  /** By default the figure's own. */
  title?: string;
  /** Pixels. */
  height?: number;
  note?: ReactNode;
  /** Address of the figure as a file, without `format=`: the menu offers HTML too. PNG and SVG are drawn here. */
  fileHref?: string;
  /** A point was clicked: go to its runs. */
  onPoint?: (point: FigurePoint) => void;
}

const CONFIG = {
  displayModeBar: false,
  displaylogo: false,
  responsive: false,
  doubleClick: "reset",
};
/** A figure in its panel, with its numbers as a table and its files. The only place that knows Plotly. */
export function Figure({
  figure,
  title = figure.title,
  height = 320,
  note,
  fileHref,
  onPoint,
}: Props) {
  const [asTable, setAsTable] = useState(false);
  const toggle = asTable ? "Show the chart" : "Show the numbers";
  return (
    <Panel
      title={title}
      note={note}
      actions={
        <>
          <Tooltip label={toggle}>
            <ActionIcon aria-label={`${toggle}: ${title}`} onClick={() => setAsTable(!asTable)}>
              <Icon name={asTable ? "compare" : "columns"} />
            </ActionIcon>
          </Tooltip>
          <FigureExport figure={figure} title={title} height={height} htmlHref={fileHref} />
        </>
      }
    >
      {asTable ? (
        <div className={classes.table} style={{ height }}>
          <FigureTable figure={figure} />
        </div>
      ) : isEmpty(figure.figure) ? (
        <p className={classes.empty} style={{ minHeight: height }}>
          {whyEmpty(figure.figure)}
        </p>
      ) : (
        <Plot figure={figure} height={height} onPoint={onPoint} />
      )}
    </Panel>
  );
}

interface PlotProps {
  figure: FigureData;
  height: number;
  onPoint: Props["onPoint"];
}

/** The picture itself. Waiting and failing keep its size. */
function Plot({ figure, height, onPoint }: PlotProps) {
  const scheme = useComputedColorScheme("light");
  const place = useRef<HTMLDivElement>(null);
  const listener = useRef(onPoint);
  listener.current = onPoint;
  const [width, setWidth] = useState(0);
  const [drawn, setDrawn] = useState(false);
  // Hundreds of rows that nobody sees: built in pieces, after the picture.
  const told = useDeferredValue(drawn ? figure : null);
  const [error, setError] = useState<unknown>(null);
  const description = useId();
  const total = height + legendRoom(figure.figure, width);

  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (width === 0) return; // hidden: there is nothing to draw into
    let left = false;
    const draw = async () => {
      const plotly = await loadPlotly();
      // Drawing takes a tenth of a second; a page of figures at once would not answer for one.
      await inTurn(async () => {
        if (left || place.current === null) return;
        const { data, layout } = themed(figure.figure, scheme, { width, height });
        const plot = await plotly.react(place.current, data, { ...layout, width }, CONFIG);
        listen(plot, (point) => listener.current?.(point));
        setDrawn(true);
      });
    };
    draw().catch((reason: unknown) => !left && setError(reason));
    return () => {
      left = true;
    };
  }, [figure, scheme, width, height]);

  useEffect(() => {
    const element = place.current;
    return () => {
      if (element !== null) void loadPlotly().then((plotly) => plotly.purge(element));
    };
  }, []);

  if (error !== null) return <PanelError error={error} height={total} />;
  return (
    <div
      className={classes.figure}
      style={{ height: total }}
      data-clickable={onPoint !== undefined}
    >
      {!drawn && <Skeleton className={classes.waiting} height={total} radius="sm" />}
      <div ref={place} role="img" aria-label={figure.title} aria-describedby={description} />
      <div id={description} className="visually-hidden">
        {figure.description}
        {told !== null && <FigureTable figure={told} />}
      </div>
    </div>
  );
}

function listen(plot: PlotElement, onPoint: (point: FigurePoint) => void): void {
  plot.removeAllListeners("plotly_click");
  plot.on("plotly_click", ({ points }) => {
    const [first] = points;
    if (first !== undefined) onPoint(pointOf(first));
  });
}

const pointOf = (point: PlotPoint): FigurePoint => ({
  x: point.x,
  y: point.y,
  name: point.data.name,
  customdata: point.customdata,
  meta: point.data.meta,
});

interface Note {
  text?: string;
  x?: unknown;
  y?: unknown;
  xref?: string;
}

/** What the figure itself says in its middle, or that it waits for numbers. */
function whyEmpty(figure: unknown): string {
  const { layout } = figure as { layout?: { annotations?: Note[] } };
  const words = layout?.annotations?.find(
    (note) => note.xref === "paper" && note.x === 0.5 && note.y === 0.5,
  )?.text;
  return (
    words?.replaceAll("<br>", " ") ??
    "Nothing is measured yet. The chart draws itself as the numbers come in."
  );
}
