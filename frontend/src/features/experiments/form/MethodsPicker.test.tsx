import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test } from "vitest";
import { renderPage } from "@/test/render";
import { MethodsPicker } from "./MethodsPicker";
import { type MethodChoice, newMethod, toMethod } from "./methods";

/** Shows the picker; `chosen` is what it holds. */
function show(...start: MethodChoice[]) {
  let chosen = start;
  function Held() {
    const [methods, setMethods] = useState(start);
    chosen = methods;
    return <MethodsPicker methods={methods} problems={new Map()} onChange={setMethods} />;
  }
  renderPage(<Held />);
  return { user: userEvent.setup(), method: () => chosen.map(toMethod)[0] };
}
const more = (label: string) => screen.getByRole("button", { name: `More settings of ${label}` });

test("PRO's temperatures and a ranking loss's weight are set below its row", async () => {
  const { user, method } = show(newMethod("pro"));
  expect(screen.queryByLabelText("Weight")).not.toBeInTheDocument();
  await user.click(more("PRO · none"));
  expect(screen.getByText(/Weight of the ranking loss beside the VFT loss/)).toBeInTheDocument();
  await user.type(screen.getByLabelText("Weight"), "0.3");
  await user.click(screen.getByRole("combobox", { name: "Temperatures" }));
  await user.click(await screen.findByText("all 1"));
  expect(method()).toMatchObject({ weight: 0.3, temperature: false });
  expect(more("PRO · none · no temperature · weight 0.3")).toHaveAttribute("aria-expanded", "true");
});

test("a method takes a name of one's own, and says what it is called otherwise", async () => {
  const { user, method } = show(newMethod("vft"));
  await user.click(more("VFT"));
  expect(screen.queryByLabelText("Weight")).not.toBeInTheDocument();
  expect(screen.queryByLabelText("Temperatures")).not.toBeInTheDocument();
  expect(screen.getByLabelText("Name")).toHaveAttribute("placeholder", "VFT");
  await user.type(screen.getByLabelText("Name"), "plain");
  expect(method()).toMatchObject({ label: "plain" });
  await user.click(more("plain"));
  expect(screen.queryByLabelText("Name")).not.toBeInTheDocument();
});

test("a row with such settings opens by itself, and shows what is wrong with them", () => {
  show({ ...newMethod("dpo"), weight: "-1", label: "x".repeat(61) });
  expect(screen.getByText(/Weight is -1. Use a number above 0 to 100/)).toBeInTheDocument();
  expect(screen.getByText(/The name has 61 characters; 60 are the most/)).toBeInTheDocument();
  expect(screen.getByLabelText("Weight")).toBeInvalid();
});
