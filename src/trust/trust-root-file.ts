import { rmSync } from "node:fs";
import { isSha256 } from "../base/digest.ts";
import { integer, narrowed, object, string } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { isThere, readBounded } from "../host/files.ts";
import { addSignature, formatEnvelope, parseEnvelope, verifyEnvelope, type Envelope } from "./dsse.ts";
import { rememberNewest } from "./newest-seen.ts";
import type { PublicKey } from "./public-key.ts";
import { isSameFile, writePublicOutput } from "./public-output.ts";
import type { SigningKey } from "./signing-key.ts";
import { rootKeys, TRUST_ROOT_TYPE, type TrustRoot } from "./trust-root.ts";
import { formatTrustRoot } from "./trust-root-document.ts";
import {
  readSignedRoot,
  readUnsignedRoot,
  rises,
  succeed,
  type SignedRoot,
} from "./trust-root-succession.ts";

const SEEN_SCHEMA = "waybill.trust-seen/v1";
const SEEN = object(
  {
    schema: string(SEEN_SCHEMA, (text) => text === SEEN_SCHEMA),
    version: integer(),
    sha256: narrowed("64 lower-case hex", isSha256),
  },
  "refused",
);

/** The root in a file, signed by its own root keys. Throws Failure: `file_unreadable` or as `readSignedRoot`. */
export function loadTrustRoot(path: string): SignedRoot {
  return readSignedRoot(readEnvelope(path), nameOf(path));
}

/**
 * The same, never older than what `seenFile` remembers, which is written when the root is newer (and made when there
 * is none). Throws Failure also `trust_root_rollback`, or as `rememberNewest`.
 */
export function loadRisingRoot(path: string, seenFile: string): SignedRoot {
  const found = loadTrustRoot(path);
  rememberNewest({
    file: seenFile,
    name: "trust state",
    decoder: SEEN,
    rises: (seen) => rises(seen, found, nameOf(path)),
    document: { schema: SEEN_SCHEMA, version: found.root.version, sha256: found.sha256 },
  });
  return found;
}

/** Makes version 1, signed by its one root key. Throws Failure `file_exists`. */
export function createTrustRoot(path: string, root: TrustRoot, key: SigningKey): void {
  refuseExisting(path, "choose another name, or change that root with: waybill key trust add");
  const envelope = signed(unsignedEnvelope(root), key);
  readSignedRoot(envelope, nameOf(path));
  write(path, envelope);
}

/** Where the next root waits for the signatures that it lacks. */
function draftPath(path: string): string {
  return `${path}.next`;
}

export type Proposal = { readonly outcome: "in_place" | "draft"; readonly file: string };

/**
 * Puts the next version in place when one signature is enough, else writes it as a draft beside the root. Throws
 * Failure `file_exists` when a draft is waiting already: its signers must not sign something else unawares.
 */
export function proposeRoot(path: string, next: TrustRoot, key: SigningKey | null, now: Date): Proposal {
  const draft = draftPath(path);
  refuseExisting(draft, "finish it with: waybill key trust sign, then update; or remove it");
  const held = loadTrustRoot(path);
  const unsigned = unsignedEnvelope(next);
  if (key !== null) refuseStranger(key, [held.root, next]);
  const envelope = key === null ? unsigned : signed(unsigned, key);
  if (key !== null && suffices(held, envelope, now)) {
    write(path, envelope);
    return { outcome: "in_place", file: path };
  }
  write(draft, envelope);
  return { outcome: "draft", file: draft };
}

export type Draft = { readonly root: TrustRoot; readonly signers: readonly PublicKey[] };

/** A draft to look at before it is signed, and which of its own root keys have done so; it trusts nobody yet. */
export function readDraft(path: string): Draft {
  const envelope = readEnvelope(path);
  const root = readUnsignedRoot(envelope, nameOf(path));
  return { root, signers: verifyEnvelope(envelope, rootKeys(root), 1).signers };
}

/** Adds a signature to a draft. `held` is the root that it shall replace, where that is known. */
export function signDraft(path: string, held: SignedRoot | null, key: SigningKey): TrustRoot {
  const envelope = readEnvelope(path);
  const root = readUnsignedRoot(envelope, nameOf(path));
  refuseStranger(key, held === null ? [root] : [held.root, root]);
  write(path, addSignature(key, envelope));
  return root;
}

/** Puts a newer root in the place of the held one; null when it is the same one. Throws Failure as `succeed`. */
export function updateTrustRoot(path: string, candidate: string, now: Date): SignedRoot | null {
  const held = loadTrustRoot(path);
  const envelope = readEnvelope(candidate);
  const next = succeed(held, envelope, nameOf(candidate), now);
  if (next !== null) write(path, envelope);
  if (isSameFile(candidate, draftPath(path))) rmSync(draftPath(path));
  return next;
}

function suffices(held: SignedRoot, envelope: Envelope, now: Date): boolean {
  try {
    return succeed(held, envelope, "the new root", now) !== null;
  } catch (error) {
    if (error instanceof Failure && error.code === "threshold_not_met") return false;
    throw error;
  }
}

/** A signature that counts in neither root is a mistake in the choice of the key. */
function refuseStranger(key: SigningKey, roots: readonly TrustRoot[]): void {
  const { keyid } = key.publicKey;
  if (roots.some((root) => rootKeys(root).some((one) => one.keyid === keyid))) return;
  throw new Failure("key_not_authorised", `key ${keyid} is no root key of this trust root`, {
    hint: `its root keys: ${roots.flatMap((root) => rootKeys(root).map((one) => one.keyid)).join(", ")}`,
  });
}

function unsignedEnvelope(root: TrustRoot): Envelope {
  const payload = new TextEncoder().encode(formatTrustRoot(root));
  return { payloadType: TRUST_ROOT_TYPE, payload, signatures: [] };
}

function signed(envelope: Envelope, key: SigningKey): Envelope {
  return addSignature(key, envelope);
}

function readEnvelope(path: string): Envelope {
  return parseEnvelope(readBounded(path, LIMITS.documentBytes, "trust root"), nameOf(path));
}

function write(path: string, envelope: Envelope): void {
  writePublicOutput(path, `${formatEnvelope(envelope)}\n`, { name: nameOf(path) });
}

function refuseExisting(path: string, hint: string): void {
  if (!isThere(path, "trust root")) return;
  throw new Failure("file_exists", `${quoted(path)} exists and is not overwritten`, { hint });
}

function nameOf(path: string): string {
  return `trust root ${quoted(path)}`;
}
