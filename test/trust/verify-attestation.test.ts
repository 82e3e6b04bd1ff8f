import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { CAPTURE_TYPE } from "../../src/trust/attestation-types.ts";
import { jsonOf, runWaybill } from "../support/binary.ts";
import { attested, runIn, sha256, SPDX } from "./attested.ts";

const ABOUT_APP = ["--subject", "app", "--key", "alice.key.pub", "--predicate-type", SPDX];

function verify(file: string, ...more: readonly string[]): string[] {
  return ["verify", "attestation", file, ...ABOUT_APP, ...more];
}

describe("verify attestation", () => {
  test("reads standard input, and tells what it proved", async () => {
    using folder = await attested();
    const ran = await runWaybill(verify("-"), {
      cwd: folder.path,
      stdin: readFileSync(folder.at("app.sigstore.json")),
    });
    expect(ran.code).toBe(0);
    expect(ran.stdout).toStartWith(`sha256:${sha256("the program")} (app): ${SPDX} by key `);
  });

  const files: [string, string, number, string][] = [
    ["empty", "", 7, "no_evidence"],
    ["no JSON", "hello", 6, "attestation_malformed"],
    ["another JSON", "{}", 6, "attestation_malformed"],
    ["too large", " ".repeat(10_485_761), 10, "evidence_too_large"],
    ["too deep", "[".repeat(100), 10, "evidence_too_large"],
  ];
  test.each(files)("of a file that is %s", async (_what, text, code, failure) => {
    using folder = await attested();
    writeFileSync(folder.at("evidence.json"), text);
    const fromFile = await runIn(folder)(...verify("evidence.json"), "--json");
    const document = jsonOf(fromFile);
    expect([fromFile.code, (document["error"] as { code: string }).code]).toEqual([code, failure]);
    expect(document["accepted"]).toEqual([]);
    const fromInput = await runWaybill([...verify("-"), "--json"], { cwd: folder.path, stdin: text });
    expect([fromInput.code, (jsonOf(fromInput)["error"] as { code: string }).code]).toEqual([code, failure]);
  });

  const bundle = ["verify", "attestation", "app.sigstore.json"];
  const about = (subject: string, key: string, ...more: string[]): string[] => [
    ...[...bundle, "--subject", subject, "--key", key],
    ...more,
  ];
  const alice = "alice.key.pub";
  const spdx = ["--predicate-type", SPDX];
  const cases: [string, string[], number, string][] = [
    ["no file", verify("none.json"), 7, "path_not_found"],
    ["a stranger's key", about("app", "bob.key.pub"), 6, "signature_invalid"],
    ["another subject", about("predicate.json", alice, ...spdx), 6, "subject_mismatch"],
    ["an unknown type and no wish", about("app", alice), 6, "predicate_type_mismatch"],
    ["another type", about("app", alice, "--predicate-type", CAPTURE_TYPE), 6, "predicate_type_mismatch"],
    ["no key", [...bundle, "--subject", "app"], 2, "flag_missing"],
    ["no subject", [...bundle, "--key", alice], 2, "flag_missing"],
    ["a weak key", about("app", "00".repeat(32)), 2, "key_weak"],
    ["a threshold that nobody can meet", about("app", alice, "--threshold", "2"), 2, "flags_contradict"],
    ["a threshold of zero", about("app", alice, "--threshold", "0"), 2, "invalid_value"],
    ["a place without a policy", about("app", alice, "--env", "prod"), 2, "flags_contradict"],
    [
      "a policy key without a policy",
      about("app", alice, "--policy-key", "bob.key.pub"),
      2,
      "flags_contradict",
    ],
  ];
  test.each(cases)("with %s", async (_what, args, code, failure) => {
    using folder = await attested();
    const ran = await runIn(folder)(...args, "--json");
    const document = jsonOf(ran);
    expect([ran.code, (document["error"] as { code: string }).code]).toEqual([code, failure]);
    expect(document["accepted"]).toEqual([]);
  });

  test.each([
    ["foreign.jsonl", 7, "no_evidence"],
    ["foreign.json", 6, "attestation_malformed"],
  ])("of one foreign line in %s", async (name, code, failure) => {
    using folder = await attested();
    writeFileSync(folder.at(name), '{"foreign":1}\n');
    const ran = await runIn(folder)(...verify(name), "--json");
    expect([ran.code, (jsonOf(ran)["error"] as { code: string }).code]).toEqual([code, failure]);
  });

  test("follows a link to the evidence, and refuses a folder", async () => {
    using folder = await attested();
    symlinkSync("app.sigstore.json", folder.at("link.json"));
    mkdirSync(folder.at("folder.json"));
    expect((await runIn(folder)(...verify("link.json"))).code).toBe(0);
    expect((await runIn(folder)(...verify("folder.json"))).code).toBe(2);
  });
});
