import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isReplayed, replay } from "./replay.ts";

const DOCS = join(import.meta.dir, "../docs");
for (const name of readdirSync(DOCS).filter((entry) => entry.endsWith(".md"))) {
  const page = readFileSync(join(DOCS, name), "utf8");
  if (isReplayed(page)) writeFileSync(join(DOCS, name), await replay(page, join(import.meta.dir, "../dist")));
}
