import { type DragEvent, type ReactNode, useId, useRef, useState } from "react";
import classes from "./FileDrop.module.css";
import { bytes } from "./format";
import { Icon } from "./Icon";

interface Props {
  /** Takes the files that passed the checks. */
  onFiles: (files: File[]) => void;
  /** Endings with their dot: [".jsonl", ".csv"]. Compressed forms count by their last ending. */
  accept: readonly string[];
  multiple?: boolean;
  /** Larger files are refused before anything is sent. */
  maxBytes?: number;
  disabled?: boolean;
  /** What to drop, and what will happen then. */
  children: ReactNode;
}

/** Why these files cannot be taken, or null. */
export function refusal(
  files: readonly { name: string; size: number }[],
  {
    accept,
    multiple,
    maxBytes,
  }: { accept: readonly string[]; multiple: boolean; maxBytes?: number | undefined },
): string | null {
  if (files.length === 0)
    return "Nothing that is a file was dropped. Drop a file, not a folder or text.";
  if (!multiple && files.length > 1)
    return `${files.length} files were dropped; this takes one at a time. Drop one of them.`;
  for (const file of files) {
    const name = file.name.toLowerCase();
    if (!accept.some((ending) => name.endsWith(ending)))
      return `'${file.name}' is not one of ${accept.join(", ")}. Convert it, or rename it if the ending is wrong.`;
    if (file.size === 0) return `'${file.name}' is empty. Check how it was written.`;
    if (maxBytes !== undefined && file.size > maxBytes)
      return `'${file.name}' has ${bytes(file.size)}; at most ${bytes(maxBytes)} are taken. Split or compress it.`;
  }
  return null;
}

/** A place to drop files, which is also a button that chooses them. */
export function FileDrop({
  onFiles,
  accept,
  multiple = false,
  maxBytes,
  disabled = false,
  children,
}: Props) {
  const [over, setOver] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  // dragenter and dragleave also fire for children; only the outermost pair counts.
  const depth = useRef(0);
  const id = useId();

  const take = (files: File[]) => {
    const reason = refusal(files, { accept, multiple, maxBytes });
    setProblem(reason);
    if (reason === null) onFiles(files);
  };
  const enter = (event: DragEvent) => {
    event.preventDefault();
    depth.current += 1;
    setOver(!disabled);
  };
  const leave = () => {
    depth.current -= 1;
    if (depth.current <= 0) setOver(false);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    depth.current = 0;
    setOver(false);
    if (!disabled) take([...event.dataTransfer.files]);
  };

  return (
    <div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keyboard's way is the file input inside */}
      <div
        className={classes.drop}
        data-over={over}
        data-disabled={disabled}
        onDragEnter={enter}
        onDragOver={(event) => event.preventDefault()}
        onDragLeave={leave}
        onDrop={drop}
      >
        <Icon name="upload" size={20} />
        <div className={classes.words}>{children}</div>
        <label className={classes.choose} htmlFor={id}>
          Choose {multiple ? "files" : "a file"}
        </label>
        <input
          id={id}
          className={classes.input}
          type="file"
          accept={accept.join(",")}
          multiple={multiple}
          disabled={disabled}
          aria-describedby={problem === null ? undefined : `${id}-problem`}
          onChange={(event) => {
            const files = [...(event.currentTarget.files ?? [])];
            // Choosing the same file again must count as a change.
            event.currentTarget.value = "";
            if (files.length > 0) take(files);
          }}
        />
      </div>
      {problem !== null && (
        <p id={`${id}-problem`} className={classes.problem} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
