import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env.AFT_DEV_SERVER ?? "http://127.0.0.1:8765";
// The Host header stays as the browser sent it: the server compares it with Origin.
const proxy = Object.fromEntries(
  ["/api", "/health", "/ready", "/login"].map((path) => [
    path,
    { target: server, changeOrigin: false },
  ]),
);

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { host: "127.0.0.1", port: 5173, strictPort: true, proxy },
  preview: { host: "127.0.0.1", port: 4173, strictPort: true, proxy },
  build: {
    outDir: "dist",
    target: "es2022",
    manifest: true,
    // Plotly's chunk is large and loaded only with the first figure; `npm run size` guards the entry.
    chunkSizeWarningLimit: 1600,
  },
  test: {
    environment: "jsdom",
    setupFiles: ["src/test/setup.ts"],
    css: { modules: { classNameStrategy: "non-scoped" } },
    restoreMocks: true,
    testTimeout: 30_000,
    // Modules are loaded anew for each file all the same; a process for each would take three times as long.
    pool: "threads",
    isolate: false,
    maxWorkers: 2,
  },
});
