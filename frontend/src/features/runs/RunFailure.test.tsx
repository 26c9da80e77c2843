import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { RunFailure } from "./RunFailure";

const show = (detail: string) =>
  render(
    <MantineProvider>
      <RunFailure
        state="failed"
        error={{ title: "No pair", detail, remedy: "Sample more.", step: 0, traceback: "" }}
      />
    </MantineProvider>,
  );

test("a cause is said once, though its detail repeats it with the remedy", () => {
  show("No pair. Sample more.");
  expect(screen.getAllByText(/Sample more/)).toHaveLength(1);
  expect(screen.getAllByText(/No pair/)).toHaveLength(1);
});

test("a detail that has more is shown", () => {
  show("Of 60 questions none has two candidates.");
  expect(screen.getByText(/Of 60 questions/)).toBeInTheDocument();
});
