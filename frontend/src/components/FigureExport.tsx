import { ActionIcon, Menu, Tooltip } from "@mantine/core";
import { download, save } from "@/api/download";
import type { FigureData } from "./Figure";
import { blobOf, forPaper, PAPER_WIDTHS, type PaperWidth } from "./figurePaper";
import { slug } from "./format";
import { Icon } from "./Icon";
import { loadPlotly } from "./loadPlotly";
import { notifyError } from "./notify";

interface Props {
  figure: FigureData;
  title: string;
  /** Pixels on the page: a figure with many rows stays as high on paper. */
  height: number;
  /** Address of the interactive file, without `format=`. */
  htmlHref?: string | undefined;
}

const PNG_SCALE = 4;

/** Files of a figure. PNG and SVG are drawn in this browser, so that a server needs none. */
export function FigureExport({ figure, title, height, htmlHref }: Props) {
  const draw = async (format: "png" | "svg", width: PaperWidth) => {
    const plotly = await loadPlotly();
    const paper = forPaper(figure, title, width, height);
    const url = await plotly.toImage(paper, {
      format,
      width: paper.layout.width,
      height: paper.layout.height,
      scale: format === "png" ? PNG_SCALE : 1,
    });
    save(blobOf(url), `${slug(title)}.${format}`);
  };
  const html = () =>
    download(`${htmlHref}${htmlHref?.includes("?") ? "&" : "?"}format=html`, "figure.html");
  return (
    <Menu position="bottom-end" width={224}>
      <Menu.Target>
        <Tooltip label="Export">
          <ActionIcon aria-label={`Export: ${title}`}>
            <Icon name="download" />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {(["svg", "png"] as const).map((format) =>
          PAPER_WIDTHS.map((width) => (
            <Menu.Item
              key={`${format} ${width.inches}`}
              onClick={() => void draw(format, width).catch(notifyError)}
            >
              {format.toUpperCase()}, {width.inches} in ({width.name})
            </Menu.Item>
          )),
        )}
        {htmlHref !== undefined && (
          <Menu.Item onClick={() => void html().catch(notifyError)}>HTML, interactive</Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
