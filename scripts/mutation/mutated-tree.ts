/** A copy of the source tree with all mutants of some files in it, none of them awake until it is chosen. */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { moduleOf } from "./awake.ts";
import { mutateFile, type Mutant } from "./schemata.ts";

export type MutatedTree = Disposable & {
  readonly path: string;
  /** The module that mutated files ask. */
  readonly asked: string;
  readonly mutants: readonly Mutant[];
  /** Which is awake in the processes that start from now on; 0 for none. */
  readonly choose: (mutant: number) => void;
  /** Wakes none, and notes which are asked for. */
  readonly record: () => void;
  /** Which were asked for since `record`, in whatever process: while modules were read, and while tests ran. */
  readonly reached: () => { readonly load: ReadonlySet<number>; readonly run: ReadonlySet<number> };
};

const LEFT_OUT = new Set([".git", "dist"]);
/** Large, and nobody writes there. */
const LINKED = new Set(["node_modules", ".tools"]);

export function mutatedTree(root: string, files: readonly string[]): MutatedTree {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "waybill-mutants-")));
  for (const name of readdirSync(root)) {
    if (LEFT_OUT.has(name)) continue;
    if (LINKED.has(name)) symlinkSync(join(root, name), join(path, name));
    else cpSync(join(root, name), join(path, name), { recursive: true });
  }
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  process.once("exit", remove);
  const asked = join(path, "asked-mutants.ts");
  const notes = join(path, "reached-mutants");
  const mutants: Mutant[] = [];
  for (const file of files) {
    const mutated = mutateFile(file, readFileSync(join(root, file), "utf8"), mutants.length + 1, asked);
    writeFileSync(join(path, file), mutated.text);
    mutants.push(...mutated.mutants);
  }
  collectTests(join(path, "test"));
  return {
    path,
    asked,
    mutants,
    choose: (mutant) => writeFileSync(asked, moduleOf(mutant, null)),
    record: () => {
      rmSync(notes, { force: true });
      writeFileSync(asked, moduleOf(0, notes));
    },
    reached: () => {
      const lines = existsSync(notes) ? readFileSync(notes, "utf8").trim().split("\n") : [];
      const of = (phase: string): Set<number> =>
        new Set(lines.filter((line) => line.startsWith(phase)).map((line) => Number(line.split(" ")[1])));
      return { load: of("load"), run: of("run") };
    },
    [Symbol.dispose]: () => {
      process.off("exit", remove);
      remove();
    },
  };
}

/** Has every file below a folder ask for our stand-in of the test runner. */
function collectTests(folder: string): void {
  const collected = JSON.stringify(join(import.meta.dir, "collected-tests.ts"));
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts")) continue;
    const path = join(folder, name);
    const text = readFileSync(path, "utf8");
    if (text.includes('from "bun:test"'))
      writeFileSync(path, text.replaceAll('from "bun:test"', `from ${collected}`));
  }
}
