import { expect } from "bun:test";
import { cpSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Entry, Host } from "./host.ts";
import { tar } from "./tar.ts";

/** The operations that the crash sweeps disturb, for each form in which an artifact comes. */

/** What an artifact is: a bundle in one of two compressions, or a program by itself. */
export type Form = "tar.gz" | "tar.zst" | "file";

export type Scenario = {
  readonly name: string;
  readonly form: Form;
  /** Brings the host to where the operation begins, and returns its words. */
  readonly prepare: (host: Host, versions: Versions) => Promise<string[]>;
  /** The versions that may be shown when the operation ends in whatever way; null for none at all. */
  readonly allowed: readonly (string | null)[];
  /** What the next run is, and the version that it shows in the end. */
  readonly again: "stage" | "same";
  readonly after: string;
  /** The lines that the log has in the end, each once: what was done before, and the operation itself. */
  readonly log: readonly string[];
};

export type Versions = Readonly<Record<"1" | "2" | "3", Entry>>;

export function versionsOf(host: Host, form: Form): Versions {
  const artifact = (version: string): Uint8Array => {
    const program = `#!/bin/sh\necho ${version}\n`;
    if (form === "file") return new TextEncoder().encode(program);
    const bundle = tar(
      { name: "sample.json", data: `{"v":${version}}` },
      { name: "sample", data: program },
      { name: `only-${version}.conf`, data: version },
    );
    return form === "tar.gz" ? gzipSync(bundle) : Bun.zstdCompressSync(bundle);
  };
  const entry = (version: string): Entry =>
    host.program("sample", version, artifact(version), { config_json: { v: version }, args: [version] });
  return { "1": entry("1"), "2": entry("2"), "3": entry("3") };
}

async function staged(host: Host, ...entries: Entry[]): Promise<void> {
  for (const entry of entries) {
    host.assign(entry);
    for (const _ of [1, 2]) expect((await host.stage()).exit).toBe(0);
  }
}

const root = (host: Host): string[] => ["--json", "--root", host.root];

const OPERATIONS: readonly Omit<Scenario, "form">[] = [
  {
    name: "a first stage",
    prepare: async (host, versions) => {
      host.assign(versions["1"]);
      return host.arguments();
    },
    allowed: [null, "1"],
    again: "stage",
    after: "1",
    log: ["staged 1"],
  },
  {
    name: "an upgrade",
    prepare: async (host, versions) => {
      await staged(host, versions["1"]);
      host.assign(versions["2"]);
      return host.arguments();
    },
    allowed: ["1", "2"],
    again: "stage",
    after: "2",
    log: ["staged 1", "staged 2"],
  },
  {
    name: "a rollback",
    prepare: async (host, versions) => {
      await staged(host, versions["1"], versions["2"]);
      return ["addon", "rollback", "sample", "--to", "1", ...root(host)];
    },
    allowed: ["1", "2"],
    again: "same",
    after: "1",
    log: ["staged 1", "staged 2", "rolled_back 1"],
  },
  {
    name: "a gc",
    prepare: async (host, versions) => {
      await staged(host, versions["1"], versions["2"], versions["3"]);
      return ["addon", "gc", "--keep", "0", ...root(host)];
    },
    allowed: ["3"],
    again: "same",
    after: "3",
    log: ["staged 1", "staged 2", "staged 3", "removed 1"],
  },
  {
    name: "an import",
    prepare: async (host, versions) => {
      await staged(host, versions["1"]);
      const old = `${host.root}.old`;
      cpSync(host.root, old, { recursive: true, verbatimSymlinks: true });
      await staged(host, versions["2"]);
      const file = join(host.home, "addons.tar");
      expect((await host.addon("export", ["--out", file])).exit).toBe(0);
      rmSync(host.root, { recursive: true });
      renameSync(old, host.root);
      return ["addon", "import", file, "--key", host.publicKey, ...root(host)];
    },
    allowed: ["1", "2"],
    again: "same",
    after: "2",
    log: ["staged 1", "staged 2"],
  },
  {
    name: "a repair",
    prepare: async (host, versions) => {
      await staged(host, versions["1"]);
      await Bun.write(host.path("sample/versions/1/sample.json"), "[]");
      await Bun.write(host.path("sample/versions/1/only-1.conf"), "");
      return ["addon", "fsck", "--repair", ...root(host)];
    },
    allowed: ["1"],
    again: "same",
    after: "1",
    log: ["staged 1", "repaired 1"],
  },
];

/** A repair has to find something to damage beside the program. */
export const SCENARIOS: readonly Scenario[] = (["tar.gz", "tar.zst", "file"] as const).flatMap((form) =>
  OPERATIONS.filter(({ name }) => form === "tar.gz" || name !== "a repair").map((operation) => ({
    ...operation,
    form,
  })),
);
