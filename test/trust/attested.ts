import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createKeyFile } from "../../src/trust/key-file.ts";
import { runWaybill, type Finished } from "../support/binary.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";

export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
export const SPDX = "https://spdx.dev/Document";

/** A folder with `app`, `predicate.json`, and the keys of two people. */
export function prepared(): TemporaryFolder {
  const folder = temporaryFolder();
  writeFileSync(folder.at("app"), "the program");
  writeFileSync(folder.at("predicate.json"), '{"b":[1,2.5,"ü"],"a":{"z":null,"y":true}}');
  for (const name of ["alice", "bob"]) createKeyFile(folder.at(`${name}.key`));
  return folder;
}

export const PREDICATE: readonly string[] = ["--predicate", "predicate.json", "--predicate-type", SPDX];

/** Runs waybill in the folder. */
export function runIn(folder: TemporaryFolder): (...args: readonly string[]) => Promise<Finished> {
  return (...args) => runWaybill(args, { cwd: folder.path });
}

/** The same, with an attestation of `app` by the first of them. */
export async function attested(): Promise<TemporaryFolder> {
  const folder = prepared();
  await runIn(folder)("attest", "app", ...PREDICATE, "--key", "alice.key");
  return folder;
}
