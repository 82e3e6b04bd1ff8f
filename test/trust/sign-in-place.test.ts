import { describe, expect, test } from "bun:test";
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { LIMITS } from "../../src/base/limits.ts";
import { addSignature, formatEnvelope, parseEnvelope, signEnvelope } from "../../src/trust/dsse.ts";
import { createKeyFile } from "../../src/trust/key-file.ts";
import { POLICY_PAYLOAD_TYPE } from "../../src/trust/policy.ts";
import { jsonOf } from "../support/binary.ts";
import type { TemporaryFolder } from "../support/temporary.ts";
import { attested, PREDICATE, prepared, runIn } from "./attested.ts";
import { envelopeOf, POLICY, policyBytes, statement } from "./attestations.ts";
import { keyOf } from "./roots.ts";

/** What a second signer does to a file that others made: nothing of theirs may be lost, nothing unreadable be left. */

async function withEnvelope(): Promise<TemporaryFolder> {
  const folder = prepared();
  await runIn(folder)("attest", "app", ...PREDICATE, "--key", "alice.key", "--format", "dsse", "--out", "it");
  return folder;
}

const SIGNERS = ["one", "two", "three", "four", "five", "six"];

function withSigners(folder: TemporaryFolder): string[] {
  for (const name of SIGNERS) createKeyFile(folder.at(name));
  return SIGNERS;
}

function signaturesIn(path: string): number {
  return parseEnvelope(readFileSync(path), "it").signatures.length;
}

describe("sign --format dsse", () => {
  test("by several at once loses no signature", async () => {
    using folder = await withEnvelope();
    const run = runIn(folder);
    const runs = withSigners(folder).map((name) => run("sign", "it", "--format", "dsse", "--key", name));
    expect((await Promise.all(runs)).map(({ code }) => code)).toEqual(SIGNERS.map(() => 0));
    expect(signaturesIn(folder.at("it"))).toBe(1 + SIGNERS.length);
  });

  test("leaves a statement that nobody could read with one signature more", async () => {
    using folder = await withEnvelope();
    const full = Array.from(
      { length: LIMITS.envelopeSignatures - 1 },
      (_, index) => `signer-${index}`,
    ).reduce(
      (envelope, name) => addSignature(keyOf(name), envelope),
      parseEnvelope(readFileSync(folder.at("it")), "it"),
    );
    writeFileSync(folder.at("it"), formatEnvelope(full));
    const run = runIn(folder);
    const refused = await run("sign", "it", "--format", "dsse", "--key", "bob.key", "--json");
    expect([refused.code, jsonOf(refused)["error"]]).toMatchObject([10, { code: "evidence_too_large" }]);
    expect(readFileSync(folder.at("it"), "utf8")).toBe(formatEnvelope(full));
    // Whoever signed already may sign again.
    expect((await run("sign", "it", "--format", "dsse", "--key", "alice.key")).code).toBe(0);
    expect(signaturesIn(folder.at("it"))).toBe(LIMITS.envelopeSignatures);
  });

  test("keeps the lines of others, which an envelope has no room for", async () => {
    using folder = await withEnvelope();
    const lines = `${readFileSync(folder.at("it"), "utf8")}{"of":"another tool"}\n`;
    writeFileSync(folder.at("all.jsonl"), lines);
    const run = runIn(folder);
    const words = ["sign", "all.jsonl", "--format", "dsse", "--key", "bob.key"];
    const refused = await run(...words, "--json");
    expect([refused.code, jsonOf(refused)["error"]]).toMatchObject([2, { code: "flag_missing" }]);
    expect(readFileSync(folder.at("all.jsonl"), "utf8")).toBe(lines);
    expect((await run(...words, "--out", "both.json")).code).toBe(0);
    expect(signaturesIn(folder.at("both.json"))).toBe(2);
  });

  const others: [string, (folder: TemporaryFolder) => unknown, number, string][] = [
    [
      "a line that is broken",
      (folder) => appendFileSync(folder.at("it"), `${readFileSync(folder.at("it"), "utf8").slice(0, -9)}\n`),
      6,
      "attestation_malformed",
    ],
    ["nothing", (folder) => writeFileSync(folder.at("it"), ""), 6, "attestation_malformed"],
    [
      "two statements",
      (folder) => appendFileSync(folder.at("it"), formatEnvelope(envelopeOf(statement(), keyOf("other")))),
      6,
      "attestation_malformed",
    ],
    [
      "a policy",
      (folder) =>
        writeFileSync(
          folder.at("it"),
          formatEnvelope(signEnvelope(keyOf("other"), POLICY_PAYLOAD_TYPE, policyBytes(POLICY))),
        ),
      6,
      "payload_type_mismatch",
    ],
  ];
  test.each(others)("signs no file with %s", async (_what, change, code, failure) => {
    using folder = await withEnvelope();
    await change(folder);
    const before = readFileSync(folder.at("it"), "utf8");
    const ran = await runIn(folder)("sign", "it", "--format", "dsse", "--key", "bob.key", "--json");
    expect([ran.code, jsonOf(ran)["error"]]).toMatchObject([code, { code: failure }]);
    expect(readFileSync(folder.at("it"), "utf8")).toBe(before);
  });

  test.each(["app.sigstore.json", "./app.sigstore.json", "../NAME/app.sigstore.json"])(
    "keeps a bundle, which has room for one signature: --out %s",
    async (out) => {
      using folder = await attested();
      const before = readFileSync(folder.at("app.sigstore.json"), "utf8");
      const place = out.replace("NAME", folder.path.split("/").at(-1) ?? "");
      const words = ["sign", "app.sigstore.json", "--format", "dsse", "--key", "bob.key", "--out", place];
      const refused = await runIn(folder)(...words, "--json");
      expect([refused.code, jsonOf(refused)["error"]]).toMatchObject([2, { code: "flag_missing" }]);
      expect(readFileSync(folder.at("app.sigstore.json"), "utf8")).toBe(before);
    },
  );
});

test("policy sign by several at once loses no signature", async () => {
  using folder = prepared();
  writeFileSync(folder.at("policy.json"), JSON.stringify(POLICY));
  const run = runIn(folder);
  expect((await run("policy", "sign", "policy.json", "--key", "alice.key")).code).toBe(0);
  const runs = withSigners(folder).map((name) => run("policy", "sign", "policy.signed.json", "--key", name));
  expect((await Promise.all(runs)).map(({ code }) => code)).toEqual(SIGNERS.map(() => 0));
  expect(signaturesIn(folder.at("policy.signed.json"))).toBe(1 + SIGNERS.length);
});

describe("attest", () => {
  test.each(["bundle", "dsse", "jsonl"])("as %s writes nothing that nobody would read", async (format) => {
    using folder = prepared();
    // Its base64 is over the ceiling, it alone is not.
    writeFileSync(folder.at("predicate.json"), JSON.stringify({ x: "y".repeat(8_000_000) }));
    const words = ["attest", "app", ...PREDICATE, "--key", "alice.key", "--format", format, "--out", "out"];
    const refused = await runIn(folder)(...words, "--json");
    expect([refused.code, jsonOf(refused)["error"]]).toMatchObject([1, { code: "output_not_written" }]);
    expect(existsSync(folder.at("out"))).toBe(false);
  });

  test("adds no line with which nobody would read the others", async () => {
    using folder = prepared();
    const lines = `${JSON.stringify({ x: "y".repeat(LIMITS.attestationBytes - 100) })}\n`;
    writeFileSync(folder.at("all.jsonl"), lines);
    const words = ["attest", "app", ...PREDICATE, "--key", "alice.key", "--format", "jsonl"];
    const refused = await runIn(folder)(...words, "--out", "all.jsonl", "--json");
    expect([refused.code, jsonOf(refused)["error"]]).toMatchObject([1, { code: "output_not_written" }]);
    expect(readFileSync(folder.at("all.jsonl"), "utf8")).toBe(lines);
  });

  test("gives a file of lines the mode of what everybody may read, also one that a lock has made", async () => {
    using folder = prepared();
    writeFileSync(folder.at("all.jsonl"), "", { mode: 0o600 });
    const words = ["attest", "app", ...PREDICATE, "--key", "alice.key", "--format", "jsonl"];
    expect((await runIn(folder)(...words, "--out", "all.jsonl")).code).toBe(0);
    expect(statSync(folder.at("all.jsonl")).mode & 0o777).toBe(0o644);
  });
});
