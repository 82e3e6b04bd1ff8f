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
import { mutateFile, type Mutant } from "./schemata.ts";

export type MutatedTree = Disposable & {
  readonly path: string;
  readonly mutants: readonly Mutant[];
  readonly choose: (mutant: Mutant) => void;
  /** Wakes none, and notes which are asked for. */
  readonly record: () => void;
  /** Which were asked for since `record`, in whatever process. */
  readonly reached: () => ReadonlySet<number>;
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
  // A file and no variable says which one is awake: it reaches every process and thread that a test starts.
  const chosen = join(path, "chosen-mutant.ts");
  const notes = join(path, "reached-mutants");
  const mutants: Mutant[] = [];
  for (const file of files) {
    const mutated = mutateFile(file, readFileSync(join(root, file), "utf8"), mutants.length + 1, chosen);
    writeFileSync(join(path, file), mutated.text);
    mutants.push(...mutated.mutants);
  }
  return {
    path,
    mutants,
    choose: ({ id }) =>
      writeFileSync(chosen, `export function isMutant(id: number): boolean {\n  return id === ${id};\n}\n`),
    record: () => {
      rmSync(notes, { force: true });
      writeFileSync(chosen, recorder(notes));
    },
    reached: () =>
      new Set(existsSync(notes) ? readFileSync(notes, "utf8").trim().split("\n").map(Number) : []),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

function recorder(notes: string): string {
  return `import { appendFileSync } from "node:fs";
const seen = new Set<number>();
export function isMutant(id: number): boolean {
  if (!seen.has(id)) {
    seen.add(id);
    appendFileSync(${JSON.stringify(notes)}, \`\${id}\\n\`);
  }
  return false;
}
`;
}
