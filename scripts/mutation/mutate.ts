/** What scripts/mutate runs. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EXPLAINED } from "./explained.ts";
import { judge } from "./judge.ts";
import { MODULES, type Module } from "./modules.ts";
import { tryMutants } from "./try-mutants.ts";
import { withSection } from "./write-page.ts";

const root = join(import.meta.dir, "../..");
const page = join(root, "docs/mutation.md");
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const [wanted, part] = process.argv.slice(2);
const modules = MODULES.filter(({ name }) => wanted === undefined || name === wanted);
if (modules.length === 0) {
  console.error(`there is no module ${wanted}; wanted one of ${MODULES.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
for (const module of modules) await tryModule(module);

async function tryModule(module: Module): Promise<void> {
  const files = module.files.map((file) => `src/${file}.ts`).filter((file) => file.includes(part ?? ""));
  const tests = module.tests.map((test) => `test/${test}.test.ts`);
  const tried = await tryMutants(root, { files, tests }, (line) => console.error(line), {
    properties: true,
    cpuSeconds: 5,
    memory: join(root, "node_modules/.cache/waybill-mutation.json"),
  });
  const { mutants, stale } = judge(tried, EXPLAINED);
  const open = mutants.filter(({ fate, reason }) => fate !== "killed" && reason === null);
  for (const entry of stale) console.error(`explained, and not alive: ${entry}`);
  console.log(
    `${module.name}: ${mutants.length} mutants, ${mutants.filter(({ fate }) => fate === "killed").length} killed, ` +
      `${mutants.filter(({ reason }) => reason !== null).length} equivalent, ${open.length} alive`,
  );
  for (const { mutant, fate } of open) console.log(`${fate} ${mutant.file}:${mutant.line} ${mutant.name}`);
  if (stale.length > 0) process.exitCode = 1;
  if (part !== undefined) return;
  const date = new Date().toISOString().slice(0, 10);
  const before = existsSync(page) ? readFileSync(page, "utf8") : null;
  const order = MODULES.map(({ name }) => name);
  writeFileSync(page, withSection(before, module, mutants, date, order));
}
