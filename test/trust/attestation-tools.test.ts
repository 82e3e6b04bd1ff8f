import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { toHex } from "../../src/base/encoding.ts";
import { privateForm } from "../../src/trust/key-conversion.ts";
import { spkiPem } from "../../src/trust/key-forms.ts";
import { STATEMENT_PAYLOAD_TYPE } from "../../src/trust/statement.ts";
import { jsonOf, runWaybill } from "../support/binary.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";
import { ALICE, MALLORY } from "./attestations.ts";
import { PREDICATE, sha256, SPDX } from "./attested.ts";
import { askPython, HAS_SSLIB, sigstoreBundle, sigstoreTakes, SSLIB } from "./judges.ts";
import { HAS, tool } from "./tools.ts";

/** The attestations of the commands themselves, in every format, against the programs of others. */

function prepared(): TemporaryFolder {
  const folder = temporaryFolder();
  writeFileSync(folder.at("app"), "the program");
  writeFileSync(folder.at("predicate.json"), '{"b":[1,2.5,"ü"],"a":null}');
  for (const [name, key] of [
    ["alice", ALICE],
    ["mallory", MALLORY],
  ] as const) {
    writeFileSync(folder.at(`${name}.pub`), spkiPem(key.publicKey));
    const text = privateForm(key, "pkcs8", (count) => new Uint8Array(count), undefined);
    writeFileSync(folder.at(name), text, { mode: 0o600 });
  }
  return folder;
}

type Dsse = { payload: string; payloadType: string; signatures: { sig: string }[] };

/** The envelope in what `attest` wrote in this format. */
async function attested(folder: TemporaryFolder, format: "bundle" | "dsse" | "jsonl"): Promise<Dsse> {
  const args = ["attest", "app", ...PREDICATE, "--key", "alice", "--format", format, "--out", "it"];
  expect((await runWaybill(args, { cwd: folder.path })).code).toBe(0);
  const document = JSON.parse(readFileSync(folder.at("it"), "utf8")) as Dsse & { dsseEnvelope: Dsse };
  return format === "bundle" ? document.dsseEnvelope : document;
}

/** What `verify attestation` says of this file: its exit code and how many it accepts. */
async function verdict(folder: TemporaryFolder, text: string): Promise<readonly [number, number]> {
  writeFileSync(folder.at("theirs"), text);
  const about = ["--subject", "app", "--predicate-type", SPDX, "--key", "alice.pub", "--json"];
  const ran = await runWaybill(["verify", "attestation", "theirs", ...about], { cwd: folder.path });
  return [ran.code, (jsonOf(ran)["accepted"] as unknown[]).length];
}

const said = JSON.stringify({
  _type: "https://in-toto.io/Statement/v1",
  subject: [{ name: "app", digest: { sha256: sha256("the program") } }],
  predicateType: SPDX,
  predicate: {},
});

/** Put together by hand from the specification, not by the code under test. */
function encoded(type: string, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
}

const FORMATS = ["bundle", "dsse", "jsonl"] as const;

describe.skipIf(!HAS.openssl)("openssl", () => {
  const check = async (folder: TemporaryFolder, key: string): Promise<number> => {
    const words = `pkeyutl -verify -pubin -inkey ${key}.pub -rawin -in message -sigfile signature`;
    return (await tool(["openssl", ...words.split(" ")], folder.path)).code;
  };

  test.each(FORMATS)("takes what attest writes as %s", async (format) => {
    using folder = prepared();
    const { payload, payloadType, signatures } = await attested(folder, format);
    const message = encoded(payloadType, Buffer.from(payload, "base64"));
    writeFileSync(folder.at("message"), message);
    writeFileSync(folder.at("signature"), Buffer.from(signatures[0]?.sig ?? "", "base64"));
    expect([await check(folder, "alice"), await check(folder, "mallory")]).toEqual([0, 1]);
    writeFileSync(folder.at("message"), Buffer.concat([message, Buffer.from(" ")]));
    expect(await check(folder, "alice")).toBe(1);
  });

  test("signs what verify attestation takes, and nothing of it may change", async () => {
    using folder = prepared();
    const dsse = async (key: string, payload = said): Promise<string> => {
      writeFileSync(folder.at("message"), encoded(STATEMENT_PAYLOAD_TYPE, Buffer.from(said)));
      const words = `pkeyutl -sign -inkey ${key} -rawin -in message -out signature`;
      expect((await tool(["openssl", ...words.split(" ")], folder.path)).code).toBe(0);
      const sig = readFileSync(folder.at("signature")).toString("base64");
      const body = Buffer.from(payload).toString("base64");
      return JSON.stringify({ payload: body, payloadType: STATEMENT_PAYLOAD_TYPE, signatures: [{ sig }] });
    };
    expect(await verdict(folder, await dsse("alice"))).toEqual([0, 1]);
    expect(await verdict(folder, `${await dsse("mallory")}\n${await dsse("alice")}\n`)).toEqual([0, 1]);
    expect(await verdict(folder, await dsse("mallory"))).toEqual([6, 0]);
    expect(await verdict(folder, await dsse("alice", `${said} `))).toEqual([6, 0]);
  });
});

describe("@sigstore", () => {
  test("verify takes the bundle that attest writes, under no other key", async () => {
    using folder = prepared();
    await attested(folder, "bundle");
    const bundle = JSON.parse(readFileSync(folder.at("it"), "utf8")) as unknown;
    expect([sigstoreTakes(bundle), sigstoreTakes(bundle, MALLORY)]).toEqual([true, false]);
  });

  test("sign makes a bundle that verify attestation takes", async () => {
    using folder = prepared();
    const payload = new TextEncoder().encode(said);
    const good = await sigstoreBundle(ALICE, undefined, payload);
    expect(await verdict(folder, JSON.stringify(good, null, 2))).toEqual([0, 1]);
    expect(await verdict(folder, JSON.stringify(await sigstoreBundle(MALLORY, undefined, payload)))).toEqual([
      6, 0,
    ]);
  });
});

describe.skipIf(!HAS_SSLIB)("python3-securesystemslib", () => {
  test.each(["dsse", "jsonl"] as const)("takes what attest writes as %s", async (format) => {
    using folder = prepared();
    const envelope = JSON.stringify(await attested(folder, format));
    for (const [key, code] of [
      [ALICE, 0],
      [MALLORY, 1],
    ] as const) {
      const ran = await askPython(SSLIB, { envelope, public: toHex(key.publicKey.bytes) });
      expect(ran.code).toBe(code);
    }
  });

  test("signs what verify attestation takes", async () => {
    using folder = prepared();
    for (const [key, wanted] of [
      [ALICE, [0, 1]],
      [MALLORY, [6, 0]],
    ] as const) {
      const keys = { public: toHex(key.publicKey.bytes), private: toHex(key.seed()) };
      const made = await askPython(SSLIB, { payload: said, type: STATEMENT_PAYLOAD_TYPE, ...keys });
      expect<readonly number[]>(await verdict(folder, made.stdout)).toEqual(wanted);
    }
  });
});
