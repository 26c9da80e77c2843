import { createEvent, fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { renderPage } from "@/test/render";
import { FileDrop, refusal } from "./FileDrop";

const RULES = { accept: [".jsonl", ".csv.gz"], multiple: false, maxBytes: 1000 };
const file = (name: string, size = 10) => ({ name, size });

test("a refusal names the file and the remedy", () => {
  expect(refusal([file("train.jsonl")], RULES)).toBeNull();
  expect(refusal([file("TRAIN.CSV.GZ")], RULES)).toBeNull();
  expect(refusal([], RULES)).toMatch(/Drop a file/);
  expect(refusal([file("notes.pdf")], RULES)).toMatch(/'notes.pdf' is not one of .jsonl, .csv.gz/);
  expect(refusal([file("empty.jsonl", 0)], RULES)).toMatch(/is empty/);
  expect(refusal([file("big.jsonl", 5000)], RULES)).toMatch(/5.0.kB; at most 1.0.kB/);
  expect(refusal([file("a.jsonl"), file("b.jsonl")], RULES)).toMatch(/one at a time/);
});

test("a dropped file is taken", () => {
  const onFiles = vi.fn();
  renderPage(
    <FileDrop accept={[".jsonl"]} onFiles={onFiles}>
      Drop it
    </FileDrop>,
  );
  const dropped = new File(["{}"], "train.jsonl");
  const target = screen.getByText("Drop it");
  const drop = createEvent.drop(target, { dataTransfer: { files: [dropped] } });
  fireEvent(target, drop);
  expect(onFiles).toHaveBeenCalledWith([dropped]);
  expect(drop.defaultPrevented).toBe(true);
});

test("a wrong file is refused beside the field", async () => {
  const onFiles = vi.fn();
  renderPage(
    <FileDrop accept={[".jsonl"]} onFiles={onFiles}>
      Drop it
    </FileDrop>,
  );
  const input = screen.getByLabelText("Choose a file");
  await userEvent.setup({ applyAccept: false }).upload(input, new File(["x"], "paper.pdf"));
  expect(screen.getByRole("alert")).toHaveTextContent("'paper.pdf' is not one of .jsonl");
  expect(onFiles).not.toHaveBeenCalled();
});
