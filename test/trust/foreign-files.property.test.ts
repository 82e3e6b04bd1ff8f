import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { array, assert, constantFrom, nat, property, record, uint8Array } from "fast-check";
import { isSha256 } from "../../src/base/digest.ts";
import { Failure } from "../../src/base/failure.ts";
import { parseAllowedSigners } from "../../src/trust/allowed-signers.ts";
import { formatOf, parseDetachedSignature } from "../../src/trust/detached-signature.ts";
import { publicKeyArgument } from "../../src/trust/file-or-text.ts";
import { importAllowedSigners, importPublicKeys } from "../../src/trust/key-folder.ts";
import { readPassphrase, readKeyText } from "../../src/trust/key-text.ts";
import { readPolicyEnvelope } from "../../src/trust/policy-file.ts";
import { refuseOldPolicy } from "../../src/trust/policy-state.ts";
import { parsePublicKey } from "../../src/trust/public-key.ts";
import { parseSigningKey } from "../../src/trust/signing-key.ts";
import { loadTrust } from "../../src/trust/trust-source.ts";
import { pointsOf } from "../support/points.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { HAS, tool } from "./tools.ts";

/**
 * Files that their own tools made, with bytes changed beneath the armor: changed letters of base64 seldom get as far
 * as the DER or the SSH wire format. What comes out is a value or a failure of ours.
 */
const RUNS = process.env["WAYBILL_FULL"] === undefined ? 300 : 8_000;
const POINTS = pointsOf("keys and signatures of other tools, changed beneath their armor");
const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const run = async (...words: readonly string[]): Promise<void> => {
  const { code, stderr } = await tool(words, folder.path);
  if (code !== 0) throw new Error(`${words.join(" ")}: ${stderr}`);
};
const file = (name: string): string => readFileSync(folder.at(name), "utf8");

const publicKey = (text: string): unknown => parsePublicKey(text, "it").keyid;
const privateKey = (text: string): unknown => parseSigningKey(text, "it").publicKey.keyid;
const signature = (text: string): unknown => {
  const bytes = Buffer.from(text, "latin1");
  return parseDetachedSignature(bytes, formatOf(bytes), "it");
};

writeFileSync(folder.at("app"), "bytes");
if (HAS.openssl) {
  await run("openssl", "genpkey", "-algorithm", "ed25519", "-out", "o.key");
  await run("openssl", "pkey", "-in", "o.key", "-pubout", "-out", "o.pub");
}
if (HAS.sshKeygen) {
  await run("ssh-keygen", "-q", "-t", "ed25519", "-C", "me", "-N", "", "-f", "s.key");
  await run("ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", "s.key", "app");
  await run("mv", "app.sig", "s.sig");
}
if (HAS.minisign) {
  await run("minisign", "-G", "-W", "-p", "m.pub", "-s", "m.sec");
  await run("minisign", "-S", "-s", "m.sec", "-m", "app", "-x", "m.sig");
}
if (HAS.signify) {
  await run("signify-openbsd", "-G", "-n", "-p", "g.pub", "-s", "g.sec");
  await run("signify-openbsd", "-S", "-s", "g.sec", "-m", "app", "-x", "g.sig");
}

type Subject = readonly [string, boolean, string, (text: string) => unknown];
const subjects: readonly Subject[] = [
  ["openssl's private key", HAS.openssl, "o.key", privateKey],
  ["openssl's public key", HAS.openssl, "o.pub", publicKey],
  ["ssh-keygen's private key", HAS.sshKeygen, "s.key", privateKey],
  ["ssh-keygen's public key", HAS.sshKeygen, "s.key.pub", publicKey],
  ["ssh-keygen's signature", HAS.sshKeygen, "s.sig", signature],
  ["minisign's private key", HAS.minisign, "m.sec", privateKey],
  ["minisign's public key", HAS.minisign, "m.pub", publicKey],
  ["minisign's signature", HAS.minisign, "m.sig", signature],
  ["signify's public key", HAS.signify, "g.pub", publicKey],
  ["signify's signature", HAS.signify, "g.sig", signature],
];
const made = subjects.flatMap(([name, there, path, parse]) =>
  there ? [[name, file(path), parse] as const] : [],
);

/** The base64 of a file of any of these tools: between the lines of PEM, in the second word, or in the second line. */
const PEM = /^(-----BEGIN [^\n]*\n)([A-Za-z0-9+/=\n]*)(\n-----END[^]*)$/u;
const WORD = /^(ssh-ed25519 |untrusted comment:[^\n]*\n)(\S+)([^]*)$/u;

function parts(text: string): readonly [string, string, string] {
  const [, before = "", body = "", after = ""] = PEM.exec(text) ?? WORD.exec(text) ?? [];
  return [before, body, after];
}

function beneath(text: string): Buffer {
  return Buffer.from(parts(text)[1], "base64");
}

function armored(text: string, blob: Uint8Array): string {
  const [before, , after] = parts(text);
  return `${before}${Buffer.from(blob).toString("base64")}${after}`;
}

const CODES = new Set(["key_invalid", "key_weak", "signature_malformed", "signature_unsupported"]);

/** What it says, or null for a failure that somebody foresaw. */
function read<T>(parse: () => T, codes: ReadonlySet<string> = CODES): T | null {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    expect(codes).toContain(error.code);
    return null;
  }
}

const mutation = record({
  at: nat(),
  kind: constantFrom("change", "drop", "insert", "cut", "double", "length"),
  bytes: uint8Array({ minLength: 1, maxLength: 6 }),
});
type Mutation = { at: number; kind: string; bytes: Uint8Array };

function mutate(blob: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  return changes.reduce((now, { at, kind, bytes }) => {
    const place = at % (now.length + 1);
    const [before, after] = [now.subarray(0, place), now.subarray(place)];
    if (kind === "change") return Buffer.concat([before, bytes, after.subarray(bytes.length)]);
    if (kind === "drop") return Buffer.concat([before, after.subarray(bytes.length)]);
    if (kind === "insert") return Buffer.concat([before, bytes, after]);
    if (kind === "cut") return before;
    // A length of four gigabytes, or of DER's long form, must reserve nothing.
    if (kind === "length") return Buffer.concat([before, Buffer.from("84ffffffff", "hex"), after]);
    return Buffer.concat([now, now]);
  }, blob);
}

describe("beneath the armor", () => {
  test.each(made)("%s, whole", (_name, text, parse) => {
    expect(armored(text, beneath(text)).replaceAll(/\s/gu, "")).toBe(text.replaceAll(/\s/gu, ""));
    expect(parse(armored(text, beneath(text)))).toEqual(parse(text));
  });

  test.each(made)("%s, changed at random", (_name, text, parse) => {
    const blob = beneath(text);
    expect(blob.length).toBeGreaterThan(40);
    assert(
      property(array(mutation, { minLength: 1, maxLength: 4 }), (changes) => {
        POINTS.check(() => read(() => parse(armored(text, mutate(blob, changes)))));
      }),
      { numRuns: RUNS },
    );
  });

  const halves = made.filter(([name]) => /^(?:ssh-keygen|minisign)'s private key$/u.test(name));
  test.each(halves)("%s, each bit: no other key comes out", (_name, text, parse) => {
    const [blob, whole] = [beneath(text), parse(text)];
    for (let at = 0; at < blob.length * 8; at++) {
      const copy = Buffer.from(blob);
      copy[at >> 3] = (copy[at >> 3] ?? 0) ^ (1 << (at & 7));
      POINTS.check(() => expect([whole, null]).toContain(read(() => parse(armored(text, copy)))));
    }
  });

  test.skipIf(!HAS.minisign)(
    "a secret key of minisign that asks for all the memory there is gets none",
    () => {
      const blob = beneath(file("m.sec"));
      blob.write("Sc", 2, "latin1");
      for (const [operations, memory] of [
        [2n ** 63n, 1n],
        [1n, 2n ** 63n],
        [2n ** 64n - 1n, 2n ** 64n - 1n],
        [33_554_433n, 1_073_741_824n],
      ] as const) {
        blob.writeBigUInt64LE(operations, 38);
        blob.writeBigUInt64LE(memory, 46);
        const text = armored(file("m.sec"), blob);
        expect(read(() => parseSigningKey(text, "it", new Uint8Array([1])))).toBeNull();
      }
    },
  );
});

/** What is read from a path, under anything that may lie there. */
const seen = JSON.stringify({
  schema: "waybill.policy-seen/v1",
  name: "p",
  version: 3,
  sha256: "a".repeat(64),
});
const digest = "b".repeat(64);
if (!isSha256(digest)) throw new Error("the test's own digest");
const readers: [string, () => string, (path: string) => unknown, readonly string[]][] = [
  ["a public key of a flag", () => file("o.pub"), (path) => publicKeyArgument(path, "--key"), []],
  ["a folder's key", () => file("o.pub"), (path) => importPublicKeys(path), []],
  ["the text of a key", () => file("o.key"), (path) => readKeyText({ file: path }), []],
  ["a passphrase", () => "correct horse\n", (path) => readPassphrase({ file: path }), ["input_invalid"]],
  [
    "allowed signers",
    () => `me@here namespaces="file",valid-before="20270101Z" ${file("s.key.pub")}`,
    (path) => [importAllowedSigners(path), loadTrust(path, null)],
    ["trust_root_invalid", "envelope_malformed", "evidence_too_large"],
  ],
  [
    "a signed policy",
    () => '{"payload":"e30=","payloadType":"x","signatures":[]}',
    (path) => readPolicyEnvelope(path),
    ["envelope_malformed", "signature_invalid", "evidence_too_large"],
  ],
  [
    "what was seen of a policy",
    () => seen,
    (path) => {
      refuseOldPolicy({ name: "p", version: 3, sha256: digest }, "it", path);
    },
    ["config_invalid", "policy_rollback"],
  ],
];

describe.skipIf(!HAS.openssl || !HAS.sshKeygen)("what lies in a file", () => {
  test.each(readers)("%s", (_name, make, parse, codes) => {
    const path = folder.at("it");
    const document = Buffer.from(make());
    const allowed = new Set([...CODES, ...codes]);
    assert(
      property(array(mutation, { minLength: 1, maxLength: 3 }), (changes) => {
        writeFileSync(path, mutate(document, changes));
        POINTS.check(() => read(() => parse(path), allowed));
      }),
      { numRuns: RUNS },
    );
  });
});

test("allowed signers of a million quotes end", () => {
  const codes = new Set(["trust_root_invalid"]);
  for (const text of ['"'.repeat(1_000_000), `a ${'x="'.repeat(300_000)}`, `${" ".repeat(1_000_000)}a`])
    expect(read(() => parseAllowedSigners(text, "it"), codes)).toBeNull();
});
