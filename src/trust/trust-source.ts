import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { readBounded } from "../host/files.ts";
import { looksLikeAllowedSigners, parseAllowedSigners } from "./allowed-signers.ts";
import type { TrustRoot } from "./trust-root.ts";
import { loadRisingRoot, loadTrustRoot } from "./trust-root-file.ts";

export type LoadedTrust = {
  readonly kind: "trust_root" | "allowed_signers";
  /** Allowed signers are a root of version 0 whose keys may act in every role. */
  readonly root: TrustRoot;
  /** What in the file was not understood and trusts nobody. */
  readonly skipped: readonly string[];
};

/**
 * The file of `--trust`: a signed trust root, or allowed signers of OpenSSH. With `stateFile` a root that is older
 * than the newest one seen is refused. Throws Failure: `file_unreadable`, `trust_root_invalid`, `key_weak`,
 * `threshold_not_met`, `trust_root_rollback`.
 */
export function loadTrust(path: string, stateFile: string | null): LoadedTrust {
  const bytes = readBounded(path, LIMITS.documentBytes, "trust file");
  // ssh-keygen takes a byte-order mark for the beginning of a principal.
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  if (!looksLikeAllowedSigners(text)) {
    const { root } = stateFile === null ? loadTrustRoot(path) : loadRisingRoot(path, stateFile);
    return { kind: "trust_root", root, skipped: [] };
  }
  const from = `allowed signers ${quoted(path)}`;
  if (stateFile !== null)
    throw new Failure("flags_contradict", `${from} have no version that a trust state could remember`);
  if (bytes.length > LIMITS.allowedSignersBytes)
    throw new Failure("trust_root_invalid", `${from} have more than ${LIMITS.allowedSignersBytes} bytes`);
  const { keys, skipped } = parseAllowedSigners(text, from);
  if (keys.length === 0)
    throw new Failure("trust_root_invalid", `${from} trust no Ed25519 key`, {
      hint: skipped.length === 0 ? "the file has no key at all" : skipped.slice(0, 5).join("; "),
    });
  return { kind: "allowed_signers", root: { version: 0, keys, thresholds: {} }, skipped };
}
