import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { EXIT } from "../../base/exit-codes.ts";
import type { Sha256 } from "../../base/digest.ts";
import { Failure } from "../../base/failure.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { ArtifactFile } from "../../trust/artifact-file.ts";
import type { SigningKey } from "../../trust/signing-key.ts";
import { readBundle } from "../bundle/read-bundle.ts";
import { bundleFormat, retainedName, type BundleFormat } from "../bundle/bundle-format.ts";
import { HEAD_BYTES, readExecutable } from "../bundle/executable.ts";
import type { SafeName } from "../names.ts";
import { shownPlatform, type Platform } from "../assigned/platform.ts";
import type { Reach } from "../../stores/http-object.ts";
import type { WritableStore } from "../../stores/store.ts";
import { PublishClient, type Named, type PublishedArtifact } from "./publish-client.ts";
import { proofOf } from "./publish-proof.ts";
import { putInto, type StoredIn } from "./publish-stores.ts";

export type PublishRequest = {
  readonly file: string;
  readonly id: SafeName;
  readonly version: SafeName;
  readonly platform: Platform;
  /** The file name that the executable gets on hosts. */
  readonly binaryName: SafeName;
  /** Stores that get the bytes beside the control plane, which keeps them as well. */
  readonly stores: readonly WritableStore[];
  /** Milliseconds for one store. */
  readonly storeMs: number;
  readonly reach: Reach;
  readonly controlPlane: URL;
  readonly token: string;
  /** All of them sign; none publishes without a signature, which hosts refuse unless they are told otherwise. */
  readonly keys: readonly SigningKey[];
  /** Whether every host of the environment shall run it from now on. */
  readonly assign: boolean;
  /** When hosts stop taking it; null for never. Said in the signed statement, so only with a key. */
  readonly expires: Date | null;
  /** The oldest version that hosts may stage once they saw this one; "" for any. */
  readonly minimumVersion: string;
  readonly now: Date;
  readonly stop: AbortSignal;
};

export type Published = PublishedArtifact & {
  readonly size: number;
  readonly keyids: readonly string[];
  readonly stored: "new" | "already";
  readonly storedIn: readonly StoredIn[];
  readonly outcome: "landed" | "landed_after_lost_response";
};

/**
 * Signs a program, uploads it, publishes it as a package and, when asked, assigns it; then reads back what hosts
 * will be told. Only an equal answer is a success. Throws Failure.
 */
export async function publishAddon(request: PublishRequest): Promise<Published> {
  const format = await checkRuns(request);
  const { id: addonId, version, expires, minimumVersion, now: issued } = request;
  const claims = { addonId, version, ...request.platform, issued, expires, minimumVersion };
  const { sha256, signature, statement, size } = await proofOf(
    request.file,
    request.keys,
    claims,
    request.stop,
  );
  if (size > LIMITS.artifactBytes) {
    throw new Failure(
      "artifact_too_large",
      `${quoted(request.file)} has ${size} bytes; hosts take at most ${LIMITS.artifactBytes}`,
    );
  }
  const artifact: PublishedArtifact = {
    objectKey: objectKeyOf(request, sha256, format),
    sha256,
    signature,
    statement,
  };
  const storedIn: StoredIn[] = [];
  for (const store of request.stores) {
    const { file, storeMs: deadlineMs, stop } = request;
    storedIn.push(await putInto(store, { key: artifact.objectKey, file, sha256, size, deadlineMs, stop }));
  }
  const client = new PublishClient(request.controlPlane, request.token, request.reach, request.stop);
  const stored = await client.upload(request.file, sha256);
  const lost: Failure[] = [];
  await unlessLost(lost, () => client.publishPackage(request, artifact));
  if (request.assign) await unlessLost(lost, () => client.assign(request));
  await readBack(client, request, artifact, lost[0]);
  return {
    ...artifact,
    size,
    keyids: request.keys.map(({ publicKey }) => publicKey.keyid),
    stored,
    storedIn,
    outcome: lost.length === 0 ? "landed" : "landed_after_lost_response",
  };
}

/**
 * What no host of this platform could start, or would unpack, is refused here, where its author sees it. Returns how
 * the file is packed.
 */
async function checkRuns({ file, platform, binaryName, stop }: PublishRequest): Promise<BundleFormat | null> {
  const { head, format } = await headOf(file, binaryName, stop);
  const executable = readExecutable(head, platform);
  if (!executable.runs) throw notRunnable(file, platform, executable.why);
  return format;
}

type Head = { readonly head: Uint8Array; readonly format: BundleFormat | null };

/** The first bytes of the program, which may lie in a bundle. */
async function headOf(file: string, binaryName: string, stop: AbortSignal): Promise<Head> {
  // Says in our words when it is missing, or no file.
  new ArtifactFile(file).close();
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = fstatSync(descriptor);
    const buffer = new Uint8Array(HEAD_BYTES);
    const start = buffer.subarray(0, readSync(descriptor, buffer, 0, HEAD_BYTES, 0));
    const format = bundleFormat(start);
    if (format === null) return { head: start, format };
    let [name, head] = ["", new Uint8Array()];
    const sink = {
      begin: (entry: { readonly name: string }): void => void (name = entry.name),
      piece: (bytes: Uint8Array): void => {
        if (name === binaryName && head.length < HEAD_BYTES)
          head = new Uint8Array(Buffer.concat([head, bytes]));
      },
      end: (): void => {},
    };
    await readBundle({ descriptor, size: status.size, format, binaryName }, sink, stop);
    return { head: head.subarray(0, HEAD_BYTES), format };
  } finally {
    closeSync(descriptor);
  }
}

function notRunnable(file: string, platform: Platform, why: string): Failure {
  return new Failure(
    "platform_unsupported",
    `${quoted(file)} does not run on ${shownPlatform(platform)}: ${why}`,
    {
      hint: "name the platform that it was built for with --platform os/arch",
    },
  );
}

/** The original's scheme, with characters outside its alphabet replaced as it does. */
function objectKeyOf(
  { id, version, platform }: PublishRequest,
  sha256: Sha256,
  format: BundleFormat | null,
): string {
  const segments = [id, version, platform.os, platform.arch].map((part) =>
    part.replace(/[^A-Za-z0-9._-]/gu, "-"),
  );
  return `native-addons/${segments.join("/")}/${sha256}${retainedName(format).replace("artifact", "")}`;
}

/** A write whose answer got lost may have landed: the read-back tells. */
export async function unlessLost(lost: Failure[], write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const maybeSent = ["connection_lost", "deadline_passed"];
    if (!(error instanceof Failure) || !maybeSent.includes(error.code)) throw error;
    lost.push(error);
  }
}

async function readBack(
  client: PublishClient,
  request: PublishRequest,
  artifact: PublishedArtifact,
  lost: Failure | undefined,
): Promise<void> {
  try {
    const found = request.assign ? await client.assigned(request) : await client.published(request);
    const wanted: Named = { ...artifact, version: request.version };
    for (const name of ["version", "sha256", "signature", "statement"] as const) {
      if (found?.[name] === wanted[name]) continue;
      throw new Failure(
        "response_mismatch",
        found === null
          ? `the control plane does not name ${quoted(request.id)} for ${shownPlatform(request.platform)}`
          : `the control plane answers ${name} ${quoted(found[name])}; published was ${quoted(wanted[name])}`,
        { hint: "somebody else may have published at the same time; run again" },
      );
    }
    await client.checkObject(artifact);
  } catch (error) {
    if (lost === undefined || !(error instanceof Failure) || error.exitCode === EXIT.interrupted) throw error;
    throw new Failure(
      "outcome_unknown",
      `an answer was lost (${lost.message}) and reading back failed: ${error.message}`,
      {
        hint: "run it again: publishing the same bytes twice is safe",
        cause: error,
      },
    );
  }
}
