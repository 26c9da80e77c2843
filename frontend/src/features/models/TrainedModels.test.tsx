import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { answerRequests } from "@/test/network";
import { renderPage } from "@/test/render";
import { TrainedModels } from "./TrainedModels";

const line = (id: string, exports: string[]) => ({
  id,
  run_id: `run ${id}`,
  run_name: `Train ${id}`,
  run_kind: "train",
  run_state: "succeeded",
  method: "VFT",
  seed: 1,
  purpose: "final",
  step: 8,
  size_bytes: 1000,
  sha256: "0",
  created_at: "2026-01-01T00:00:00Z",
  base_model_id: null,
  base_model_name: null,
  started_from_run_id: null,
  exports,
  used_by: [],
});

test("an adapter can leave alone or merged, a whole model as it is", async () => {
  const user = userEvent.setup();
  answerRequests({
    "GET /api/v1/checkpoints": {
      body: {
        items: [
          line("whole", ["whole"]),
          line("adapter", ["adapter", "merged"]),
          line("stacked", ["merged"]),
        ],
        next_after: null,
      },
    },
  });
  renderPage(<TrainedModels />);
  expect(await screen.findByRole("link", { name: /^Export Train whole/ })).toHaveAttribute(
    "href",
    "/api/v1/checkpoints/whole/export",
  );
  expect(
    screen.getByRole("link", { name: /^Export Train stacked, .*, merged into its base model$/ }),
  ).toHaveAttribute("href", "/api/v1/checkpoints/stacked/export?merged=true");
  await user.click(screen.getByRole("button", { name: /^Export Train adapter/ }));
  expect(await screen.findByRole("menuitem", { name: "Adapter alone" })).toHaveAttribute(
    "href",
    "/api/v1/checkpoints/adapter/export",
  );
  expect(screen.getByRole("menuitem", { name: "Merged into its base model" })).toHaveAttribute(
    "href",
    "/api/v1/checkpoints/adapter/export?merged=true",
  );
});
