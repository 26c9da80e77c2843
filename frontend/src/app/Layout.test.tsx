import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createMemoryRouter, RouterProvider } from "react-router";
import { afterEach, expect, test, vi } from "vitest";
import { connection } from "@/api/connection";
import { answerRequests } from "@/test/network";
import { renderApart } from "@/test/render";
import { runSample, systemSample } from "@/test/samples";
import { routes } from "./routes";

afterEach(() => connection.answered(200));

function visit(path: string, system = systemSample(), runs = [] as unknown[]) {
  answerRequests({
    "GET /api/v1/system": { body: system },
    "GET /api/v1/runs": { body: { items: runs, next_after: null } },
  });
  const router = createMemoryRouter(routes, { initialEntries: [path] });
  renderApart(<RouterProvider router={router} />);
}

test("every place is one press away and the current one is marked", async () => {
  visit("/settings");
  const nav = await screen.findByRole("navigation", { name: "Main" });
  expect(
    within(nav)
      .getAllByRole("link")
      .map((link) => link.textContent),
  ).toEqual([
    "Home",
    "Data sets",
    "Models",
    "Experiments",
    "Runs",
    "COTs",
    "Review",
    "Compare",
    "Settings",
  ]);
  expect(within(nav).getByRole("link", { name: "Settings" })).toHaveAttribute(
    "aria-current",
    "page",
  );
});

test("a new page takes the focus; the keyboard can skip the navigation", async () => {
  visit("/settings");
  await screen.findByRole("heading", { name: "Settings" });
  expect(screen.getByRole("link", { name: "Skip to the content" })).toHaveAttribute(
    "href",
    "#main",
  );
  await userEvent.click(screen.getByRole("link", { name: "Home" }));
  await screen.findByRole("heading", { level: 1, name: "Home" });
  expect(screen.getByRole("main")).toHaveFocus();
});

test("an address that leads nowhere says so and leads home", async () => {
  visit("/nowhere");
  expect(await screen.findByText("There is no such page")).toBeInTheDocument();
  expect(screen.getByText("/nowhere")).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Go to Home" })).toHaveAttribute("href", "/");
});

test("a used login link says how to get another", async () => {
  visit("/expired");
  expect(await screen.findByText("This link does not work any more")).toBeInTheDocument();
  expect(screen.getByText("aft login-link")).toBeInTheDocument();
});

test("without a session the page says how to get in", async () => {
  visit("/settings");
  await screen.findByRole("heading", { name: "Settings" });
  act(() => connection.answered(401));
  expect(screen.getByText("This browser is not signed in")).toBeInTheDocument();
});

test("a server that is away is told in a banner while the page stays", async () => {
  visit("/settings");
  await screen.findByRole("heading", { name: "Settings" });
  vi.stubGlobal("fetch", vi.fn().mockRejectedValue(new TypeError("refused")));
  act(() => connection.lost());
  expect(screen.getByText(/does not answer/)).toBeInTheDocument();
  expect(screen.getByRole("heading", { name: "Settings" })).toBeInTheDocument();
});

test("the tray shows what runs, how far it is, and what waits", async () => {
  const counts = { datasets: 1, models: 1, experiments: 1, active_runs: 30 };
  visit("/settings", systemSample({ counts }), [runSample()]);
  const tray = await screen.findByRole("region", { name: "Active runs" });
  expect(
    await within(tray).findByRole("link", { name: /AFT · boundary · seed 2/ }),
  ).toHaveAttribute("href", "/runs/r1");
  expect(tray).toHaveTextContent(/1 running.*29 waiting/);
  expect(tray).toHaveTextContent(/50.%≈.3.min/);
});

test("runs that no worker takes are explained", async () => {
  const counts = { datasets: 1, models: 1, experiments: 1, active_runs: 3 };
  visit("/settings", systemSample({ counts, workers: [] }));
  const tray = await screen.findByRole("region", { name: "Active runs" });
  expect(within(tray).getByRole("link", { name: "No worker is running" })).toBeInTheDocument();
});
