import { fireEvent, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { answerRequests } from "@/test/network";
import { renderPage } from "@/test/render";
import { readState } from "./compareState";
import { MoreFigures } from "./MoreFigures";

test("the degradation panel names the runs whose alarm rang, with its reasons", async () => {
  const alarm = {
    run_id: "r1",
    run_name: "Train AFT · none · seed 1",
    step: 378,
    words: "task accuracy 28.0 % to 16.5 %",
  };
  const figure = { title: "", description: "", figure: { data: [] }, columns: [], rows: [] };
  answerRequests({
    "GET /api/v1/experiments/e1": { body: { alarms: [alarm] } },
    "GET /api/v1/experiments/e1/figures/curves": { body: figure },
    "GET /api/v1/experiments/e1/figures/push": { body: figure },
    "GET /api/v1/experiments/e1/figures/watch": { body: figure },
    "GET /api/v1/experiments/e1/figures/degradation": { body: figure },
  });
  renderPage(
    <MoreFigures
      experimentId="e1"
      state={readState(new URLSearchParams())}
      onChange={() => undefined}
    />,
  );
  fireEvent.click(screen.getByRole("tab", { name: "Degradation" }));
  const link = await screen.findByRole("link", { name: alarm.run_name });
  expect(link).toHaveAttribute("href", "/runs/r1");
  expect(link.closest("li")).toHaveTextContent("step 378: task accuracy 28.0 % to 16.5 %");
});
