import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { replay } from "./replay.ts";

const PAGE = join(import.meta.dir, "../docs/tutorial.md");
writeFileSync(PAGE, await replay(readFileSync(PAGE, "utf8"), join(import.meta.dir, "../dist")));
