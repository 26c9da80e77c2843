import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test } from "vitest";
import { renderPage } from "@/test/render";
import { MeasuresAndTrackers } from "./MeasuresAndTrackers";
import { newMethod } from "./methods";
import { toSpec } from "./spec";
import { defaultValues, type FormValues } from "./values";

const field = (label: string) => screen.getByLabelText(label, { selector: "input" });

/** Shows the fields; `spec` is what the form would send. */
function show(changes: Partial<FormValues> = {}) {
  const start = { ...defaultValues("paper", "v1", "m1"), ...changes };
  let held = start;
  function Held() {
    const [values, setValues] = useState(start);
    held = values;
    return (
      <MeasuresAndTrackers
        values={values}
        problems={toSpec(values, "a name").problems}
        onChange={(change) => setValues((before) => ({ ...before, ...change }))}
      />
    );
  }
  renderPage(<Held />);
  return { user: userEvent.setup(), spec: () => toSpec(held, "a name").spec };
}

test("self-consistency and trackers are chosen", async () => {
  const { user, spec } = show();
  await user.type(field("Self-consistency, n"), "1{Enter}16{Enter}");
  await user.click(field("Trackers"));
  await user.click(await screen.findByText("MLflow"));
  await user.click(await screen.findByText("Weights & Biases (offline)"));
  expect(spec()).toMatchObject({ self_consistency: [1, 16], trackers: ["mlflow", "wandb"] });
});

test("a value that cannot be used says so at its field", async () => {
  const { user, spec } = show();
  await user.type(field("Self-consistency, n"), "many{Enter}");
  const problem = screen.getByText(/n of self-consistency is many. Use a whole number/);
  expect(problem).toBeInTheDocument();
  expect(spec()).toBeNull();
});

test("the β search's settings appear with a method that has one", async () => {
  const search = { ...newMethod("aft", "boundary"), boundaryRule: "search" as const };
  const { user, spec } = show({ methods: [search] });
  await user.type(screen.getByLabelText("Questions of the β search"), "40");
  expect(spec()?.beta_search).toMatchObject({ questions: 40, seeds: [0] });
});

test("and stay away without one", () => {
  show();
  expect(screen.queryByText("β tried")).not.toBeInTheDocument();
});
