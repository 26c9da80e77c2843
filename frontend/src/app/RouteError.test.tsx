import { screen } from "@testing-library/react";
import { createMemoryRouter, RouterProvider } from "react-router";
import { expect, test, vi } from "vitest";
import { renderApart } from "@/test/render";
import { RouteError } from "./RouteError";

function failWith(error: Error) {
  // React and the router report what they catch; the test looks at what the reader sees.
  vi.spyOn(console, "error").mockImplementation(() => {});
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const Page = () => {
    throw error;
  };
  const router = createMemoryRouter([{ path: "/", Component: Page, ErrorBoundary: RouteError }]);
  renderApart(<RouterProvider router={router} />);
}

test("a page that throws shows its error and leaves the runs alone", async () => {
  failWith(new Error("scores is undefined"));
  expect(await screen.findByText("scores is undefined")).toBeInTheDocument();
  expect(screen.getByText(/Runs are not affected/)).toBeInTheDocument();
});

test("a page whose chunk is gone asks for a reload", async () => {
  failWith(new Error("Failed to fetch dynamically imported module: /assets/routes-1.js"));
  expect(await screen.findByText("This page could not be fetched")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Reload the page" })).toBeInTheDocument();
});
