import { basename } from "node:path";
import { EXIT } from "../base/exit-codes.ts";
import { isSha256, type Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { printable, quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { parseInstant } from "../cli/instants.ts";
import {
  proveArtifact,
  type Accepted,
  type ArtifactClaims,
  type ArtifactVerdict,
  type SignerJudge,
} from "../trust/artifact-proof.ts";
import { isSignatureFormat, SIGNATURE_FORMATS } from "../trust/detached-signature.ts";
import { publicKeyArgument, signatureArgument } from "../trust/file-or-text.ts";
import type { PublicKey } from "../trust/public-key.ts";
import { matchesSshPatternList } from "../trust/ssh-pattern.ts";
import { DEFAULT_NAMESPACE } from "../trust/sshsig.ts";
import { isRole, thresholdFor } from "../trust/trust-root.ts";
import { loadTrust } from "../trust/trust-source.ts";
import { distrust, distrustNamespace } from "../trust/trusted-key.ts";
import { judgingTime } from "./judging-time.ts";

const FORMATS: string[] = [...SIGNATURE_FORMATS];

const FLAGS = {
  file: { type: "positional", required: true, description: "the file to prove, of any size" },
  sha256: { type: "string", valueHint: "HEX", description: "the SHA-256 that the file must have" },
  signature: {
    type: "string",
    repeat: true,
    valueHint: "FILE|TEXT",
    description: "a detached signature, or its hex or base64; each one given must hold",
  },
  "signature-format": {
    type: "enum",
    options: FORMATS,
    description: "what the signature is (found out without it)",
  },
  namespace: {
    type: "string",
    valueHint: "N",
    description: `what an OpenSSH signature must be for (${DEFAULT_NAMESPACE})`,
  },
  key: {
    type: "string",
    repeat: true,
    valueHint: "FILE|TEXT",
    description: "an Ed25519 public key in any form; any of several may have signed",
  },
  trust: {
    type: "string",
    valueHint: "ROOT",
    description: "a trust root, or a file of allowed signers, in place of --key",
  },
  "trust-state": {
    type: "string",
    valueHint: "FILE",
    description: "with --trust: remembers the newest root seen here, and refuses older ones",
  },
  role: {
    type: "string",
    valueHint: "ROLE",
    description: "with --trust: the role that the signer must have (build)",
  },
  artifact: {
    type: "string",
    valueHint: "NAME",
    description: "with --trust: what the scopes of a key call this artifact (the name of FILE)",
  },
  identity: {
    type: "string",
    valueHint: "NAME",
    description: "with --trust: the one key or principal that counts",
  },
  at: {
    type: "string",
    valueHint: "INSTANT",
    description: "with --trust: judge the validity of keys at this time, RFC 3339 (now)",
  },
  "allow-legacy": { type: "boolean", description: "take minisign signatures over the file itself (Ed)" },
} as const;

type Flags = Values<typeof FLAGS>;
/** Flags that only mean something beside another one, so that nobody relies on a check that is not made. */
const NEEDS_SIGNATURE = ["key", "trust", "signature-format", "namespace", "allow-legacy"] as const;
const NEEDS_TRUST = ["trust-state", "role", "artifact", "identity", "at"] as const;
const DEFAULT_ROLE = "build";

export const verifyArtifact: Command = defineCommand({
  name: "artifact",
  description: "prove that a file is the one with this digest, or the one that a key signed",
  args: FLAGS,
  examples: [
    "waybill verify artifact app.tar.gz --signature app.tar.gz.minisig --key release.key.pub",
    "waybill verify artifact app.tar.gz --signature app.tar.gz.sig --trust allowed_signers --namespace file",
    'waybill verify artifact app.tar.gz --sha256 "$DIGEST"',
  ],
  exits: ["untrusted", "missing", "mismatch", "protocol", "conflict", "interrupted", "terminated"],
  emptyDocument: { checked: 0, accepted: [], refusals: [] },
  act: async (values, world) => {
    const sha256 = values.sha256 === undefined ? null : digestArgument(values.sha256);
    refuseStrayFlags(values);
    if (sha256 === null && values.signature.length === 0)
      throw new Failure("nothing_named", "nothing to hold the artifact against was named", {
        hint: "pass --sha256, or --signature with --key or --trust",
      });
    const claims = { ...signatureClaims(values, world), sha256 };
    return report(values.file, await proveArtifact(values.file, claims, world.stop));
  },
});

function digestArgument(text: string): Sha256 {
  const found = text
    .trim()
    .toLowerCase()
    .replace(/^sha256:/u, "");
  if (isSha256(found)) return found;
  throw new Failure("invalid_value", `--sha256 is ${quoted(text)}; wanted 64 characters of hex`);
}

function refuseStrayFlags(flags: Flags): void {
  const given = (name: keyof Flags): boolean => {
    const value = flags[name];
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
  };
  // Else somebody who forgot --signature would take a digest check for a signature check.
  const withoutSignature = flags.signature.length === 0 ? NEEDS_SIGNATURE.find(given) : undefined;
  if (withoutSignature !== undefined)
    throw new Failure(
      "flags_contradict",
      `--${withoutSignature} was given without --signature, which it is for`,
    );
  const withoutTrust = flags.trust === undefined ? NEEDS_TRUST.find(given) : undefined;
  if (withoutTrust !== undefined)
    throw new Failure("flags_contradict", `--${withoutTrust} was given without --trust, which it is for`);
  if (given("key") && given("trust"))
    throw new Failure("flags_contradict", "--key and --trust both say who may have signed", {
      hint: "give one",
    });
  if (given("signature") && !given("key") && !given("trust"))
    throw new Failure(
      "flag_missing",
      "--signature was given without --key or --trust: a signature proves nothing by itself",
      { hint: "pass the signer's public key with --key" },
    );
}

/** Keys are read before the signatures: a wrong configuration is told before wrong evidence. */
function signatureClaims(flags: Flags, world: World): Omit<ArtifactClaims, "sha256"> {
  const format = flags["signature-format"];
  const named = format !== undefined && isSignatureFormat(format) ? format : undefined;
  const { keys, judge, threshold } =
    flags.trust === undefined
      ? {
          keys: flags.key.map((key) => publicKeyArgument(key, "--key")),
          judge: () => null,
          threshold: 1,
        }
      : readTrust(flags.trust, flags, world);
  return {
    signatures: flags.signature.map((value) => ({
      signature: signatureArgument(value, "--signature", named),
      formatNamed: named !== undefined,
    })),
    rules: { keys, namespace: flags.namespace ?? DEFAULT_NAMESPACE, allowLegacy: flags["allow-legacy"] },
    judge,
    threshold,
  };
}

type Signers = {
  readonly keys: readonly PublicKey[];
  readonly judge: SignerJudge;
  readonly threshold: number;
};

function readTrust(file: string, flags: Flags, world: World): Signers {
  const role = flags.role ?? DEFAULT_ROLE;
  if (!isRole(role))
    throw new Failure("invalid_value", `--role is ${quoted(role)}; wanted a word such as ${DEFAULT_ROLE}`);
  const now = flags.at === undefined ? judgingTime(world) : parseInstant(flags.at, "--at");
  const { root, skipped } = loadTrust(file, flags["trust-state"] ?? null);
  for (const reason of skipped) world.say.warn(`${quoted(file)} ${reason}`);
  const { identity } = flags;
  // The name of a key in a trust root is a pattern without wildcards; allowed signers list patterns of principals.
  const known =
    identity === undefined
      ? root.keys
      : root.keys.filter(({ name }) => matchesSshPatternList(name, identity));
  if (known.length === 0)
    throw new Failure("invalid_value", `--identity ${quoted(identity ?? "")} is nobody in ${quoted(file)}`, {
      hint: `it knows ${root.keys
        .slice(0, 20)
        .map(({ name }) => quoted(name))
        .join(", ")}`,
    });
  const name = flags.artifact ?? basename(flags.file);
  return {
    keys: known.map(({ key }) => key),
    threshold: thresholdFor(root, role),
    judge: (signer, sha256) => {
      // A file of allowed signers may list one key several times, each with other windows and namespaces.
      const entries = known.filter(({ key }) => key.keyid === signer.key.keyid);
      const verdicts = entries.map(
        (one) =>
          distrust(one, role, { name, sha256 }, now) ??
          distrustNamespace(one, signer.namespace) ??
          identity ??
          one.name,
      );
      const [first = new Failure("signer_unknown", `key ${signer.key.keyid} is not in ${quoted(file)}`)] =
        verdicts;
      return verdicts.find((verdict) => typeof verdict === "string") ?? first;
    },
  };
}

function report(file: string, verdict: ArtifactVerdict): Outcome {
  const [refusal] = verdict.refusals;
  return {
    exit: refusal === undefined ? EXIT.ok : refusal.exitCode,
    document: {
      file,
      bytes: verdict.size,
      sha256: verdict.sha256,
      checked: verdict.checked,
      accepted: verdict.accepted,
      refusals: verdict.refusals.map(({ code, message }) => ({ code, message })),
      ...(refusal === undefined ? {} : { error: refusal.toDocument() }),
    },
    text: refusal === undefined ? verdict.accepted.map((accepted) => line(file, accepted)).join("") : "",
    failures: verdict.refusals,
  };
}

function line(file: string, accepted: Accepted): string {
  // Whoever made the file has named it, too: a line break in it would begin a line for the runner.
  const shown = printable(file, LIMITS.logLineChars);
  if (accepted.kind === "sha256") return `${shown}: sha256 ${accepted.sha256}\n`;
  const { format, keyid, name, namespace, trusted_comment: comment } = accepted;
  const by = name === undefined ? `key ${keyid}` : `${quoted(name)}, key ${keyid}`;
  const more = [
    namespace === undefined ? [] : `namespace ${namespace}`,
    comment === undefined ? [] : `comment ${quoted(comment, LIMITS.logLineChars)}`,
  ].flat();
  return `${shown}: ${format} signature by ${by}${more.map((one) => `, ${one}`).join("")}\n`;
}
