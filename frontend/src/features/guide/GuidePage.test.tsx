import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderPage } from "@/test/render";
import { GuidePage } from "./GuidePage";

test("every method stands with its equation, and the control with what it is for", () => {
  renderPage(<GuidePage />);
  expect(screen.getByText("Eq. 8, 11")).toBeInTheDocument();
  expect(screen.getByText("Eq. 20, 21")).toBeInTheDocument();
  expect(screen.getByText(/as the whole AFT pipeline: the control/)).toBeInTheDocument();
});
