import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runtimeLicence, type InnerPackage } from "./packages.ts";
import { ROOT, TABLE } from "./targets.ts";

/** Licences that everything inside may have; another one is for a person to read first. */
export const ALLOWED: ReadonlySet<string> = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
  "Unlicense",
]);

/** One text with the licences of everything inside. */
export function licences(packages: readonly InnerPackage[]): string {
  const parts = [
    ["waybill (Apache-2.0)", readFileSync(join(ROOT, "LICENSE"), "utf8").trim()],
    [`bun ${TABLE.bun} (MIT, with libraries under their own licences)`, runtimeLicence()],
    ...packages.map(({ name, version, licence, text }) => [`${name} ${version} (${licence})`, text]),
  ];
  const line = "=".repeat(80);
  return parts.map(([title, text]) => `${line}\n${title}\n${line}\n\n${text}\n`).join("\n");
}
