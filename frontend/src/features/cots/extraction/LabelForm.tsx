import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { useState } from "react";
import { asApiError } from "@/api/client";
import { notifyDone, notifyError } from "@/components/notify";
import { type Extraction, useWriteLabel } from "../inspecting";
import classes from "./Extraction.module.css";

type Label = "right" | "wrong" | "unparsed";

const NAME_KEY = "aft:label-name";
const LABELS: Label[] = ["right", "wrong", "unparsed"];

/** Give a COT a label of one's own, with a reason; take it back. */
export function LabelForm({ extraction }: { extraction: Extraction }) {
  const write = useWriteLabel(extraction.candidate_id);
  const current = extraction.label;
  const [label, setLabel] = useState<Label>(
    current?.label ?? (extraction.verdict === "right" ? "wrong" : "right"),
  );
  const [reason, setReason] = useState("");
  const [person, setPerson] = useState(() => remembered());
  const problem = (field: string) => asApiError(write.error)?.fieldMessage(field);
  const send = (wanted: Label | null) =>
    write.mutate(
      {
        request_id: crypto.randomUUID().replaceAll("-", ""),
        label: wanted,
        reason: wanted === null ? "" : reason,
        person,
      },
      {
        onSuccess: () => {
          remember(person);
          setReason("");
          notifyDone(wanted === null ? "Label withdrawn" : `Labelled ${wanted}`);
        },
        onError: (error) => {
          if ((asApiError(error)?.errors.length ?? 0) === 0) notifyError(error);
        },
      },
    );
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        send(label);
      }}
    >
      <SegmentedControl
        size="xs"
        aria-label="Label"
        data={LABELS}
        value={label}
        onChange={(value) => setLabel(LABELS.find((one) => one === value) ?? "wrong")}
      />
      <TextInput
        size="xs"
        className={classes.reason}
        label="Reason"
        required
        maxLength={2000}
        placeholder="why the automatic label is not right"
        value={reason}
        error={problem("reason")}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <TextInput
        size="xs"
        w={140}
        label="Your name"
        placeholder="as in Review"
        value={person}
        error={problem("person") ?? problem("name")}
        onChange={(event) => setPerson(event.currentTarget.value)}
      />
      <Button type="submit" size="xs" variant="default" loading={write.isPending}>
        Set label
      </Button>
      {current !== null && (
        <Button size="xs" variant="subtle" onClick={() => send(null)} disabled={write.isPending}>
          Withdraw {current.person}'s label
        </Button>
      )}
    </form>
  );
}

function remembered(): string {
  try {
    return localStorage.getItem(NAME_KEY) ?? "";
  } catch {
    return "";
  }
}

function remember(name: string): void {
  try {
    localStorage.setItem(NAME_KEY, name);
  } catch {
    // Without storage the name is typed again.
  }
}
