import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { answerRequests } from "@/test/network";
import { renderPage } from "@/test/render";
import { AddModel } from "./AddModel";

test("a tiny model is made for a data set, with the sizes typed", async () => {
  const user = userEvent.setup();
  const { requests } = answerRequests({
    "GET /api/v1/datasets": {
      body: { items: [{ id: "d1", name: "Shops", newest: { id: "v1", number: 2 } }] },
    },
    "POST /api/v1/models/tiny": {
      status: 422,
      body: { title: "Invalid", detail: "hidden_size 50 does not split", remedy: "" },
    },
  });
  renderPage(<AddModel />);
  await user.type(screen.getByLabelText("Name"), "Tiny");
  await user.click(screen.getByRole("combobox", { name: "From" }));
  await user.click(await screen.findByRole("option", { name: "random weights, made here" }));
  const make = screen.getByRole("button", { name: "Make model" });
  expect(screen.getByLabelText("Name")).toHaveValue("Tiny");
  expect(make).toBeDisabled();
  await user.click(screen.getByRole("combobox", { name: "Tokenizer from" }));
  await user.click(await screen.findByRole("option", { name: "Shops v2" }));
  const width = screen.getByLabelText("Hidden size");
  await user.clear(width);
  expect(make).toBeDisabled();
  await user.type(width, "50");
  await user.click(make);
  expect(await screen.findByText(/does not split/)).toBeInTheDocument();
  const sent = requests.find((request) => request.method === "POST");
  await waitFor(async () =>
    expect(await sent?.clone().json()).toMatchObject({
      name: "Tiny",
      dataset_version_id: "v1",
      sizes: { layers: 2, hidden_size: 50, heads: 2, seed: 0 },
    }),
  );
});
