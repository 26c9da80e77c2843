import { Button, Modal } from "@mantine/core";
import { useState } from "react";
import { KeyHint } from "@/components/KeyHint";
import type { Mode } from "../queries";
import {
  type Action,
  BINDINGS,
  clash,
  defaultKeys,
  type KeyMap,
  keyParts,
  nameOf,
  saveKeys,
} from "./keys";
import classes from "./Session.module.css";

interface Props {
  opened: boolean;
  mode: Mode;
  keys: KeyMap;
  onChange: (keys: KeyMap) => void;
  onClose: () => void;
}

/** All keys of this mode; each can be changed. */
export function KeySheet({ opened, mode, keys, onChange, onClose }: Props) {
  const [changing, setChanging] = useState<Action | null>(null);
  const [problem, setProblem] = useState("");
  const shown = BINDINGS.filter(({ modes }) => modes === undefined || modes.includes(mode));
  const keep = (map: KeyMap) => {
    onChange(map);
    saveKeys(map);
  };
  const press = (event: React.KeyboardEvent) => {
    if (changing === null) {
      if (event.key === "?") onClose();
      return;
    }
    if (["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    setChanging(null);
    if (event.key === "Escape") return;
    const name = nameOf(event.nativeEvent);
    const other = clash(keys, changing, name);
    if (other !== undefined) {
      const words = BINDINGS.find((one) => one.action === other)?.words ?? other;
      setProblem(`That key already means “${words}”.`);
      return;
    }
    if (mode === "rate" && /^[0-9]$/.test(name)) {
      setProblem("Digits rate.");
      return;
    }
    setProblem("");
    keep({ ...keys, [changing]: name });
  };
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      closeOnEscape={changing === null}
      title="Keys"
      size="md"
      onKeyDownCapture={press}
    >
      <table className={classes.keys}>
        <tbody>
          <tr>
            <th scope="row">Go to a COT</th>
            <td>
              <KeyHint keys={["A"]} /> … <KeyHint keys={["H"]} />
            </td>
            <td />
          </tr>
          {mode === "rate" && (
            <tr>
              <th scope="row">Rate 1 to 9, and 10</th>
              <td>
                <KeyHint keys={["1"]} /> … <KeyHint keys={["0"]} />
              </td>
              <td />
            </tr>
          )}
          {shown.map(({ action, words }) => (
            <tr key={action}>
              <th scope="row">{words}</th>
              <td>
                {changing === action ? (
                  <span className={classes.dim}>Press a key</span>
                ) : (
                  <KeyHint keys={keyParts(keys[action])} />
                )}
              </td>
              <td>
                <Button
                  size="compact-xs"
                  variant="subtle"
                  color="gray"
                  aria-label={`Change the key: ${words}`}
                  onClick={() => setChanging(action)}
                >
                  Change
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className={classes.dim}>
        D, F and G go to a COT where there is one of that letter; with Shift they always act.
      </p>
      <p className={classes.lacking} role="status">
        {problem}
      </p>
      <Button variant="default" onClick={() => keep(defaultKeys())}>
        Use the first keys again
      </Button>
    </Modal>
  );
}
