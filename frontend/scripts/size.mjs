// What a first visit downloads before anything shows: the entry chunk, what it imports, its styles.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT_KB = 260;
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));

const files = new Set();
const visit = (key) => {
  const chunk = manifest[key];
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const next of chunk.imports ?? []) visit(next);
};
for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) visit(key);

let total = 0;
for (const file of files) {
  const size = gzipSync(readFileSync(new URL(file, dist))).length / 1000;
  total += size;
  console.log(`${size.toFixed(1).padStart(8)} kB  ${file}`);
}
console.log(`${total.toFixed(1).padStart(8)} kB  entry, gzipped (limit ${LIMIT_KB} kB)`);
if (total > LIMIT_KB) {
  console.error("The entry is over its limit. Load what the first page does not need with lazy().");
  process.exit(1);
}
