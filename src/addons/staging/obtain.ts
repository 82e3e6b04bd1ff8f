import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../base/failure.ts";
import { throwIfStopped } from "../../base/interruption.ts";
import { quoted } from "../../base/printable.ts";
import { ArtifactFile } from "../../trust/artifact-file.ts";
import type { Fetch } from "./arrive.ts";
import type { Wanted } from "../assigned/ask.ts";
import type { AddonPaths } from "../on-host/layout.ts";
import type { SignatureCheck } from "../on-host/staged-file.ts";
import { giveFileCapabilities, strategyFor } from "./give-capabilities.ts";
import type { NextStep } from "./next-step.ts";
import { writeRecord } from "../on-host/record.ts";
import { Overtaken } from "./overtaken.ts";
import { note, type Run } from "./run.ts";
import { recordOf } from "../on-host/record-of.ts";
import { storageFailure } from "../on-host/storage-failure.ts";

export type Doing = Exclude<NextStep, { kind: "refuse" | "hold" }>;

/** What is known of the add-on besides the step. */
export type Known = {
  /** Bytes of the artifact, by its statement. */
  readonly size: number | null;
  /** What the bytes have to be signed with; null when nothing, or a statement, is enough. */
  readonly check: SignatureCheck | null;
  /** Whether the program may have capabilities from before. */
  readonly mayHave: boolean;
  /** Asked after a download, in which everybody could change something. */
  readonly isOvertaken: () => boolean;
};

/** Returns the id of the key that signed what is now under `versions/`. Throws Failure or Overtaken. */
export async function obey(
  step: Doing,
  wanted: Wanted,
  paths: AddonPaths,
  run: Run,
  known: Known,
): Promise<string | null> {
  const { onFile } = strategyFor(wanted.assignment, run.layout, run.isHost);
  if (step.kind === "in_place") {
    // They may have been assigned later, or taken away by whoever wrote to the file.
    if (known.mayHave || onFile.length > 0)
      giveFileCapabilities(paths.binary(step.folder, wanted.binaryName), onFile);
    if (step.writeRecord) writeRecord(paths.record(step.folder), recordOf(wanted));
    return step.keyid;
  }
  const { sha256, binaryName } = wanted;
  const artifact = { sha256, binaryName, size: known.size, record: recordOf(wanted) };
  const staging = { ...run, paths, check: known.check, fileCapabilities: onFile };
  // Loaded when something has to be staged: most runs find everything in place.
  const { stageArtifact } = await import("./stage.ts");
  if (step.retained !== null)
    return stageArtifact(artifact, step, bytesOf(step, wanted, run, known), staging);
  run.attempts.check(wanted.assignment);
  try {
    return await stageArtifact(artifact, step, bytesOf(step, wanted, run, known), staging);
  } catch (error) {
    throwIfStopped(run.stop, `staging add-on ${quoted(wanted.id)}`);
    if (error instanceof Overtaken) throw error;
    throw noteFailure(storageFailure(error, paths.directory), wanted, run);
  }
}

/** One line for each kind of failure in a row: a store that is down for a night must not fill the log. */
function noteFailure(failure: Failure, wanted: Wanted, run: Run): Failure {
  const { assignment, id: addon_id, version, sha256 } = wanted;
  if (run.attempts.failed(assignment, failure)) {
    note(run, { event: "failed", addon_id, version, sha256, detail: failure.code });
  }
  return failure;
}

/** The kept artifact when its bytes are right, which needs no network; else the stores. */
function bytesOf(
  step: Extract<Doing, { kind: "stage" }>,
  wanted: Wanted,
  run: Run,
  { size, isOvertaken }: Known,
): AsyncIterable<Uint8Array> | Fetch {
  if (step.retained !== null) return new ArtifactFile(step.retained).chunks(run.stop);
  return async (prefixes) => {
    const { objectKey: key, sha256, assignment } = wanted;
    // A name by the digest: what a killed run left is the beginning of these bytes or of none.
    const path = join(run.layout.tmp, `${wanted.id}.${sha256}.part`);
    const reference = { key, downloadUrl: assignment.download_url, downloadToken: assignment.download_token };
    // A store that sends more than was signed is left at the first byte too many.
    const maxBytes = Math.min(run.maxArtifactBytes, size ?? run.maxArtifactBytes);
    const asked = { ...reference, sha256, prefixes, maxBytes };
    const download = await run.turn.away(() => run.download(asked, path, run.stop));
    if (isOvertaken()) {
      rmSync(path, { force: true });
      throw new Overtaken(`add-on ${quoted(wanted.id)} was changed while it was fetched`);
    }
    for (const { store, failure } of download.faults) {
      const message = `add-on ${quoted(wanted.id)}: ${store} did not bring it: ${failure.message}`;
      run.warn({ code: "mirror_failed", message });
    }
    return { ...download, path };
  };
}
