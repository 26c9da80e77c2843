// Fails when src/api/schema.d.ts is not what openapi.json generates.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "aft-types-"));
const fresh = join(folder, "schema.d.ts");
try {
  execFileSync("npx", ["--no-install", "openapi-typescript", "openapi.json", "-o", fresh], {
    stdio: "ignore",
  });
  if (readFileSync(fresh, "utf8") !== readFileSync("src/api/schema.d.ts", "utf8")) {
    console.error("src/api/schema.d.ts differs from openapi.json. Run `npm run types`.");
    process.exit(1);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
