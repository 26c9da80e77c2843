import { Modal } from "@mantine/core";
import { Facts } from "@/components/Facts";
import { KeyHint } from "@/components/KeyHint";

const KEYS: [string[], string][] = [
  [["j"], "Next question"],
  [["k"], "Previous question"],
  [["n"], "Next COT of the question"],
  [["p"], "Previous COT"],
  [["a"], "First COT; b the second, up to h"],
  [["/"], "Search"],
  [["Up"], "Up in the list"],
  [["Down"], "Down in the list"],
  [["Enter"], "Open the row"],
  [["Space"], "Select the row (COTs)"],
  [["?"], "These keys"],
];

/** The keys of the COTs page. */
export function KeySheet({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keys">
      <Facts items={KEYS.map(([keys, what]) => [what, <KeyHint key={what} keys={keys} />])} />
    </Modal>
  );
}
