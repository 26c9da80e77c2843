import { Button, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { bytes } from "@/components/format";
import { Notice } from "@/components/Notice";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { PanelSkeleton } from "@/components/PanelSkeleton";
import classes from "../Datasets.module.css";
import { previewOptions } from "../queries";
import { MappingFields } from "./MappingFields";
import { PreviewRows } from "./PreviewRows";
import { needsColumns, type Part, type Reading, type Task } from "./reading";

const PARTS: { value: Part; label: string }[] = [
  { value: "train", label: "train" },
  { value: "validation", label: "validation" },
  { value: "test", label: "test" },
  { value: "unmarked", label: "not said" },
];

interface Props {
  reading: Reading;
  /** The data set's task. */
  task: Task | null;
  tasks: readonly Task[];
  onChange: (changes: Partial<Reading>) => void;
  onRemove: () => void;
}

/** One received file: what it was recognised as, which columns hold what, and its first rows. */
export function ReceivedFile({ reading, task, tasks, onChange, onRemove }: Props) {
  const { upload, mapping, part } = reading;
  const { detection } = upload;
  const preview = useQuery(previewOptions(upload.id, { task, mapping, part }));
  const [isMapping, setIsMapping] = useState(needsColumns(reading));
  const holdsQuestions = detection.role === "questions";
  return (
    <Panel
      title={upload.filename}
      note={bytes(upload.size_bytes)}
      actions={
        <>
          {upload.columns.length > 0 && (
            <Button
              size="xs"
              variant="default"
              aria-expanded={isMapping}
              onClick={() => setIsMapping(!isMapping)}
            >
              Map columns
            </Button>
          )}
          <Button size="xs" variant="default" onClick={onRemove}>
            Remove
          </Button>
        </>
      }
    >
      <div className={classes.file}>
        <p>{detection.why}</p>
        {detection.note !== null && <Notice level="note">{detection.note}</Notice>}
        {isMapping && (
          <>
            <MappingFields
              columns={upload.columns}
              mapping={mapping ?? detection.mapping}
              mixed={task === "mixed"}
              onChange={(changed) => onChange({ mapping: changed })}
            />
            {mapping !== null && detection.mapping !== null && (
              <Button size="xs" variant="subtle" onClick={() => onChange({ mapping: null })}>
                Back to what was recognised
              </Button>
            )}
          </>
        )}
        {(holdsQuestions || mapping !== null) && (
          <div className={classes.fields}>
            <Select
              label="Part of its rows"
              size="xs"
              allowDeselect={false}
              data={PARTS}
              value={part ?? detection.part ?? "unmarked"}
              onChange={(value) => onChange({ part: value as Part })}
            />
            {task === "mixed" && (mapping ?? detection.mapping)?.task == null && (
              <Select
                label="Task of its rows"
                size="xs"
                allowDeselect={false}
                data={tasks.filter((one) => one !== "mixed")}
                value={reading.task ?? detection.task}
                onChange={(value) => onChange({ task: value as Task | null })}
              />
            )}
          </div>
        )}
        {preview.isPending ? (
          <PanelSkeleton rows={4} />
        ) : preview.isError ? (
          <PanelError error={preview.error} onRetry={() => void preview.refetch()} />
        ) : (
          <div className={classes.file} aria-busy={preview.isPlaceholderData}>
            {preview.data.problem !== null && holdsQuestions && (
              <Notice level="warning">{preview.data.problem}</Notice>
            )}
            {preview.data.problem === null && preview.data.n_errors > 0 && (
              <Notice level="warning">
                {`${preview.data.n_errors} of the first ${preview.data.rows.length} rows cannot be imported.`}
              </Notice>
            )}
            <PreviewRows preview={preview.data} />
          </div>
        )}
      </div>
    </Panel>
  );
}
