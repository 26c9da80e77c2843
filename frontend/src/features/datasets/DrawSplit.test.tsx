import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { answerRequests } from "@/test/network";
import { renderPage } from "@/test/render";
import { DrawSplit } from "./DrawSplit";

const PRESETS = "GET /api/v1/dataset-versions/v1/split-presets";
const DRAW = "POST /api/v1/dataset-versions/v1/splits";
const preset = (name: string, possible: boolean) => ({
  name,
  title: `Numbers of ${name}`,
  spec: { preset: name, seed: 0 },
  counts: { train: 7473 },
  possible,
  reason: possible ? null : "Train has 90 questions, 7473 are asked for.",
});

test("a split of a small data set is proposed from its parts, and can be changed", async () => {
  const user = userEvent.setup();
  const { requests } = answerRequests({
    [PRESETS]: { body: [preset("gsm8k", false)] },
    [DRAW]: { status: 201, body: { id: "s1", name: "80 / 9 / 40, seed 3" } },
  });
  const drawn = vi.fn();
  renderPage(<DrawSplit versionId="v1" parts={{ train: 90, test: 40 }} onDrawn={drawn} />);
  expect(await screen.findByText(/Train has 90 questions/)).toBeInTheDocument();
  expect(screen.getByLabelText("Validation")).toHaveValue("9");
  expect(screen.getByLabelText("Test")).toHaveValue("40");
  const train = screen.getByLabelText("Train");
  expect(train).toHaveValue("81");
  await user.clear(train);
  await user.type(train, "80");
  await user.clear(screen.getByLabelText("Seed"));
  await user.type(screen.getByLabelText("Seed"), "3");
  await user.click(screen.getByRole("button", { name: "Draw the split" }));
  await waitFor(() => expect(drawn).toHaveBeenCalled());
  const sent = requests.find((request) => request.method === "POST");
  expect(await sent?.json()).toEqual({
    name: null,
    spec: { seed: 3, train: 80, validation: 9, test: 40, allow_fewer: true },
  });
});

test("the paper's numbers come first where there are enough questions", async () => {
  const user = userEvent.setup();
  const { requests } = answerRequests({
    [PRESETS]: { body: [preset("ecqa", true)] },
    [DRAW]: {
      status: 409,
      body: { title: "Conflict", detail: "There is a split named 'ours' already.", remedy: "" },
    },
  });
  renderPage(<DrawSplit versionId="v1" parts={{ unmarked: 100 }} />);
  await user.type(await screen.findByLabelText("Name"), "ours");
  expect(screen.queryByLabelText("Train")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Draw the split" }));
  expect(await screen.findByText(/named 'ours' already/)).toBeInTheDocument();
  const sent = requests.find((request) => request.method === "POST");
  expect(await sent?.json()).toEqual({
    name: "ours",
    spec: { preset: "ecqa", seed: 0, allow_fewer: false },
  });
});
