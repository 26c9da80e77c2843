import { Button, Menu } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { download } from "@/api/download";
import { notifyError } from "@/components/notify";
import { comparedFile } from "./addresses";
import type { CompareState } from "./compareState";

interface Props {
  experimentId: string;
  state: CompareState;
}

/** The comparison to take away, of an experiment or of chosen runs. */
export function ComparisonExports({ experimentId, state }: Props) {
  const clipboard = useClipboard();
  const save = (name: string) =>
    void download(comparedFile(experimentId, state, name), name).catch(notifyError);
  return (
    <Menu position="bottom-end" width={264}>
      <Menu.Target>
        <Button variant="default">Export</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item closeMenuOnClick={false} onClick={() => clipboard.copy(window.location.href)}>
          {clipboard.copied ? "Copied" : "Copy the link to this view"}
        </Menu.Item>
        <Menu.Item onClick={() => save("comparison.csv")}>Table, CSV</Menu.Item>
        <Menu.Item onClick={() => save("comparison.tex")}>Table, LaTeX</Menu.Item>
        <Menu.Item onClick={() => save("report.html")}>Report, one HTML page</Menu.Item>
        <Menu.Divider />
        <Menu.Label>Everything, to be recomputed by aft verify</Menu.Label>
        {/* A link, so that the browser writes gigabytes to disk instead of holding them. */}
        <Menu.Item component="a" href={comparedFile(experimentId, state, "bundle")} download>
          Reproduction bundle, zip
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
