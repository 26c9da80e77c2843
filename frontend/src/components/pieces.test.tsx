import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { ApiError } from "@/api/errors";
import { renderPage } from "@/test/render";
import { ConfirmDestructive } from "./ConfirmDestructive";
import { Equation } from "./Equation";
import { FilterChips } from "./FilterChips";
import { MethodName } from "./MethodMark";
import { MeanCell, NumberCell } from "./Numbers";
import { PageHeader } from "./PageHeader";
import { PanelError } from "./PanelError";
import { Progress } from "./Progress";
import { isActive, RunState } from "./RunState";
import { Verdict } from "./Verdict";

test("an equation sets indices and keeps its number", () => {
  const { container } = renderPage(<Equation number="8, 11">{"log(1 + s_j^* − r_{<t})"}</Equation>);
  expect([...container.querySelectorAll("sub")].map((node) => node.textContent)).toEqual([
    "j",
    "<t",
  ]);
  expect(container.querySelector("sup")).toHaveTextContent("*");
  expect([...container.querySelectorAll("i")].map((node) => node.textContent)).not.toContain("log");
  expect(screen.getByText("Eq. 8, 11")).toBeInTheDocument();
});

test("a run's state is a word; only what may still change is active", () => {
  renderPage(<RunState state="succeeded" />);
  expect(screen.getByText("done")).toBeInTheDocument();
  expect(isActive("waiting")).toBe(true);
  expect(isActive("failed")).toBe(false);
});

test("a state without its word is still named", () => {
  renderPage(<RunState state="failed" iconOnly />);
  expect(screen.getByRole("img", { name: "failed" })).toBeInTheDocument();
});

test("a verdict is never colour alone", () => {
  renderPage(<Verdict verdict="unparsed" count="12" compact />);
  expect(screen.getByText("unparsed")).toBeInTheDocument();
});

test("a missing number is said, and links nowhere", () => {
  renderPage(
    <NumberCell to="/cots/1" about="seed 2: failed">
      –
    </NumberCell>,
  );
  expect(screen.getByText("not measured")).toBeInTheDocument();
  expect(screen.queryByRole("link")).not.toBeInTheDocument();
});

test("a mean says what its ± is", async () => {
  renderPage(<MeanCell mean={0.483} std={0.009} n={3} scale={100} to="/runs" />);
  await userEvent.hover(screen.getByRole("link", { name: "48.3 ± 0.9" }));
  expect(await screen.findByText("Mean ± standard deviation over 3 seeds.")).toBeInTheDocument();
});

test("an error shows what happened, what to do, and tries again", async () => {
  const retry = vi.fn();
  const error = new ApiError({
    title: "The disk is full",
    detail: "0.2 GB are free.",
    status: 507,
    errors: [],
    remedy: "Delete checkpoints, then run `aft doctor`.",
  });
  renderPage(<PanelError title="Curves" error={error} onRetry={retry} />);
  expect(screen.getByRole("alert")).toHaveTextContent("0.2 GB are free.Delete checkpoints");
  expect(screen.getByText("aft doctor").tagName).toBe("CODE");
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(retry).toHaveBeenCalled();
});

test("what is gone is not asked for again", () => {
  const error = new ApiError({
    title: "Not found",
    detail: "There is no run 0000.",
    status: 404,
    errors: [],
    remedy: "Go back to the list of runs.",
  });
  renderPage(<PanelError title="Run" error={error} onRetry={vi.fn()} />);
  expect(screen.getByRole("alert")).toHaveTextContent("There is no run 0000.");
  expect(screen.queryByRole("button", { name: "Try again" })).not.toBeInTheDocument();
});

test("progress says its share and its ETA; an unknown total has no value", () => {
  const { unmount } = renderPage(
    <Progress label="AFT · boundary" done={189} total={378} etaSeconds={180} phase="training" />,
  );
  expect(screen.getByRole("progressbar", { name: "AFT · boundary" })).toHaveAttribute(
    "aria-valuenow",
    "50",
  );
  expect(screen.getByText(/≈.3.min/)).toBeInTheDocument();
  unmount();
  renderPage(<Progress label="Import" done={5} total={null} phase="reading" />);
  expect(screen.getByRole("progressbar")).not.toHaveAttribute("aria-valuenow");
});

test("a filter pressed again is taken away", async () => {
  const onChange = vi.fn();
  const choices = [{ value: "wrong", label: "Wrong", count: 3 }] as const;
  renderPage(<FilterChips label="Verdict" choices={choices} value="wrong" onChange={onChange} />);
  const chip = screen.getByRole("button", { name: /Wrong/ });
  expect(chip).toHaveAttribute("aria-pressed", "true");
  await userEvent.click(chip);
  expect(onChange).toHaveBeenCalledWith(null);
});

test("destruction names what is lost and starts with the way out", async () => {
  const confirm = vi.fn();
  renderPage(
    <ConfirmDestructive
      opened
      onClose={() => {}}
      title="Delete experiment Demo?"
      destroys={["67 runs", "12 models, 16 MB"]}
      action="Delete experiment"
      onConfirm={confirm}
    />,
  );
  expect(await screen.findByText("12 models, 16 MB")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Keep" })).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Delete experiment" }));
  expect(confirm).toHaveBeenCalledTimes(1);
});

test("a method's name carries its mark, hidden from screen readers", () => {
  const { container } = renderPage(<MethodName label="AFT · detached" />);
  expect(container.querySelector("svg")).toHaveAttribute("data-fill", "half");
  expect(container.querySelector("svg")).toHaveAttribute("aria-hidden", "true");
});

test("a page names its tab", () => {
  renderPage(<PageHeader title="Runs" />);
  expect(screen.getByRole("heading", { level: 1, name: "Runs" })).toBeInTheDocument();
  expect(document.title).toBe("Runs · AFT Workbench");
});
