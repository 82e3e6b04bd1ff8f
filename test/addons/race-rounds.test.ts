import { expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pointsOf } from "../support/points.ts";
import { Host, type Entry } from "./host.ts";
import { tar } from "./tar.ts";

/** Pairs of operations on one root, the second some milliseconds after the first, another number in each round. */
const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";
const POINTS = pointsOf("two operations on one root, some milliseconds apart");
const ROUNDS = FULL ? 25 : 1;
const STEP_MS = 4;

type Operation = "stage" | "rollback" | "gc" | "repair" | "import" | "export";
const PAIRS: readonly (readonly [Operation, Operation])[] = [
  ["stage", "stage"],
  ["stage", "rollback"],
  ["stage", "gc"],
  ["stage", "repair"],
  ["stage", "import"],
  ["rollback", "gc"],
  ["export", "gc"],
  ["export", "stage"],
];

function bundle(host: Host, version: string): Entry {
  const program = { name: "sample", data: `#!/bin/sh\necho ${version}\n` };
  return host.program("sample", version, gzipSync(tar(program, { name: "v.conf", data: version })));
}

function run(host: Host, operation: Operation, file: string): Promise<{ exit: number }> {
  if (operation === "stage") return host.stage();
  if (operation === "rollback") return host.addon("rollback", ["sample"]);
  if (operation === "gc") return host.addon("gc", ["--keep", "0"]);
  if (operation === "repair") return host.addon("fsck", ["--repair"]);
  if (operation === "import") return host.addon("import", [file, "--key", host.publicKey]);
  return host.addon("export", ["--out", join(host.home, "again.tar")]);
}

function checkWhole(host: Host): void {
  const version = readlinkSync(host.path("sample/current")).replace("versions/", "");
  expect(["1", "2", "3"]).toContain(version);
  expect(host.read("sample/current/sample")).toBe(`#!/bin/sh\necho ${version}\n`);
  expect(host.read("sample/current/v.conf")).toBe(version);
}

test.concurrent.each([...PAIRS])(
  "%s and %s",
  async (one, other) => {
    for (let round = 0; round < ROUNDS; round++) {
      using host = new Host();
      const entries = ["1", "2", "3"].map((version) => bundle(host, version));
      const file = join(host.home, "addons.tar");
      for (const entry of entries.slice(0, 2)) {
        host.assign(entry);
        expect((await host.stage()).exit).toBe(0);
      }
      expect((await host.addon("export", ["--out", file])).exit).toBe(0);
      host.assign(entries[2] ?? {});
      await POINTS.try(async () => {
        const first = run(host, one, file);
        // Where it is by then is what differs from round to round.
        await Bun.sleep(round * STEP_MS);
        const ended = await Promise.all([first, run(host, other, file)]);
        const told = { round, ended: ended.map(({ exit }) => exit) };
        // 3 and 5: what was rolled back from, or is older; 7: nothing to go back to; 11: locked for too long.
        expect({ ...told, known: told.ended.every((exit) => [0, 3, 5, 7, 11].includes(exit)) }).toEqual({
          ...told,
          known: true,
        });
        checkWhole(host);
        expect((await host.verify(["--key", host.publicKey])).exit).toBe(0);
        expect((await host.addon("fsck", [])).exit).toBe(0);
        expect(readdirSync(join(host.root, "tmp"))).toEqual([]);
        expect(JSON.parse(readFileSync(host.path("sample/.waybill-specs.json"), "utf8"))).toMatchObject({
          pending: null,
        });
      });
    }
  },
  FULL ? 600_000 : 60_000,
);
