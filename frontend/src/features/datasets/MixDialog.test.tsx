import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { answerRequests } from "@/test/network";
import { renderPage } from "@/test/render";
import { MixDialog } from "./MixDialog";
import type { DatasetRow } from "./queries";

const row = (name: string, task: DatasetRow["task"]): DatasetRow => ({
  id: `d-${name}`,
  name,
  task,
  description: "",
  builtin: false,
  created_at: "2026-01-01T00:00:00Z",
  n_versions: 1,
  parts: {},
  pending: [],
  newest: {
    id: `v-${name}`,
    number: 1,
    state: "ready",
    n_rows: 10,
    n_rejected: 0,
    created_at: "2026-01-01T00:00:00Z",
  } as DatasetRow["newest"],
});

test("two chosen data sets are mixed, one of them by a split", async () => {
  const user = userEvent.setup();
  const { requests } = answerRequests({
    "GET /api/v1/dataset-versions/v-sums/splits": { body: [{ id: "s1", name: "paper's split" }] },
    "GET /api/v1/dataset-versions/v-choices/splits": { body: [] },
    "POST /api/v1/datasets/mix": {
      status: 409,
      body: { title: "Conflict", detail: "There is a data set named 'both' already.", remedy: "" },
    },
  });
  renderPage(
    <MixDialog datasets={[row("sums", "gsm8k"), row("choices", "aqua")]} onClose={vi.fn()} />,
  );
  const button = screen.getByRole("button", { name: "Mix" });
  await user.type(screen.getByLabelText("Name"), "both");
  await user.click(screen.getByRole("checkbox", { name: /sums · gsm8k/ }));
  expect(button).toBeDisabled();
  await user.click(screen.getByRole("checkbox", { name: /choices · aqua/ }));
  await user.click(screen.getByRole("combobox", { name: "Questions of sums" }));
  await user.click(await screen.findByText("paper's split"));
  await user.click(button);
  expect(await screen.findByText(/named 'both' already/)).toBeInTheDocument();
  const sent = requests.find((request) => request.method === "POST");
  expect(await sent?.json()).toEqual({
    dataset_name: "both",
    description: "",
    sources: [
      { version_id: "v-sums", split_id: "s1" },
      { version_id: "v-choices", split_id: null },
    ],
  });
});
