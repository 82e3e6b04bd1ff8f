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

  const cases: [string, string[], number, string][] = [
    ["no file", verify("none.json"), 7, "path_not_found"],
    [
      "a stranger's key",
      ["verify", "attestation", "app.sigstore.json", "--subject", "app", "--key", "bob.key.pub"],
      6,
      "signature_invalid",
    ],
    [
      "another subject",
      [
        "verify",
        "attestation",
        "app.sigstore.json",
        "--subject",
        "predicate.json",
        "--key",
        "alice.key.pub",
        "--predicate-type",
        SPDX,
      ],
      6,
      "subject_mismatch",
    ],
    [
      "an unknown type and no wish",
      ["verify", "attestation", "app.sigstore.json", "--subject", "app", "--key", "alice.key.pub"],
      6,
      "predicate_type_mismatch",
    ],
    [
      "another type",
      [
        "verify",
        "attestation",
        "app.sigstore.json",
        "--subject",
        "app",
        "--key",
        "alice.key.pub",
        "--predicate-type",
        CAPTURE_TYPE,
      ],
      6,
      "predicate_type_mismatch",
    ],
    ["no key", ["verify", "attestation", "app.sigstore.json", "--subject", "app"], 2, "flag_missing"],
    [
      "no subject",
      ["verify", "attestation", "app.sigstore.json", "--key", "alice.key.pub"],
      2,
      "flag_missing",
    ],
    [
      "a threshold that nobody can meet",
      verify("app.sigstore.json", "--threshold", "2"),
      2,
      "flags_contradict",
    ],
    ["a threshold of zero", verify("app.sigstore.json", "--threshold", "0"), 2, "invalid_value"],
    ["a place without a policy", verify("app.sigstore.json", "--env", "prod"), 2, "flags_contradict"],
    [
      "a policy key without a policy",
      verify("app.sigstore.json", "--policy-key", "bob.key.pub"),
      2,
      "flags_contradict",
    ],
    [
      "a weak key",
      ["verify", "attestation", "app.sigstore.json", "--subject", "app", "--key", "00".repeat(32)],
      2,
      "key_weak",
    ],
  ];
  test.each(cases)("with %s", async (_what, args, code, failure) => {
    using folder = await attested();
    const ran = await runIn(folder)(...args, "--json");
    const document = jsonOf(ran);
    expect([ran.code, (document["error"] as { code: string }).code]).toEqual([code, failure]);
    expect(document["accepted"]).toEqual([]);
  });

  test("follows a link to the evidence, and refuses a folder", async () => {
    using folder = await attested();
    symlinkSync("app.sigstore.json", folder.at("link.json"));
    mkdirSync(folder.at("folder.json"));
    expect((await runIn(folder)(...verify("link.json"))).code).toBe(0);
    expect((await runIn(folder)(...verify("folder.json"))).code).toBe(2);
  });
});
