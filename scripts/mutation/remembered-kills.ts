/** Kills of earlier runs: one holds as long as neither the file nor the test that killed its mutant changed. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Mutant } from "./schemata.ts";

export type RememberedKills = {
  readonly has: (mutant: Mutant) => boolean;
  readonly add: (mutant: Mutant, test: string) => void;
};

type Kill = { readonly source: string; readonly test: string; readonly testSource: string };

/** `files` are those of the mutants and the tests, below `root`; `path` is where the kills are kept. */
export function rememberedKills(root: string, path: string, files: readonly string[]): RememberedKills {
  const kills = new Map<string, Kill>(
    existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as [string, Kill][]) : [],
  );
  const digests = new Map(files.map((file) => [file, digest(join(root, file))]));
  const digestOf = (file: string): string => digests.get(file) ?? "unknown";
  return {
    has: ({ file, name }) => {
      const kill = kills.get(`${file} ${name}`);
      if (kill === undefined || kill.source !== digestOf(file)) return false;
      return kill.testSource === digestOf(kill.test);
    },
    add: ({ file, name }, test) => {
      kills.set(`${file} ${name}`, { source: digestOf(file), test, testSource: digestOf(test) });
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, JSON.stringify([...kills]));
    },
  };
}

function digest(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
