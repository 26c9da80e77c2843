import "@mantine/core/styles.layer.css";
import "@mantine/notifications/styles.layer.css";
import "./app/tokens.css";
import "./app/global.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router/dom";
import { Providers } from "./app/providers";
import { createRouter, fetchPagesWhenIdle } from "./app/routes";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element with the id 'root'.");
createRoot(root).render(
  <StrictMode>
    <Providers>
      <RouterProvider router={createRouter()} />
    </Providers>
  </StrictMode>,
);
fetchPagesWhenIdle();
