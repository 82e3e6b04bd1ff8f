import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CAPTURE_TYPE } from "../../src/trust/attestation-types.ts";
import { runWaybill } from "../support/binary.ts";
import { pointsOf } from "../support/points.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { GOOD_CAPTURE, POLICY } from "./attestations.ts";

/**
 * Files that a verdict rests on, cut at each byte and with a bit turned in each byte, given to the program. It refuses
 * them, or says of them the very same as of the whole one, which only white space and unsigned comments allow.
 */
const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";
const STEP = FULL ? 1 : 97;
const CUTS = pointsOf("files that are cut at each byte");
const FLIPS = pointsOf("files with one bit turned in each byte");

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

async function run(...words: string[]): Promise<void> {
  const ran = await runWaybill(words, { cwd: folder.path });
  if (ran.code !== 0) throw new Error(`${words.join(" ")}: ${ran.stderr}`);
}

const TYPE = ["--predicate-type", CAPTURE_TYPE];
const ATTEST = ["attest", "app", "--predicate", "capture.json", ...TYPE, "--key", "key"];
const ARTIFACT = ["verify", "artifact", "app"];
const SUBJECT = ["--subject", "app", ...TYPE];

beforeAll(async () => {
  const now = Date.now();
  const [issued, expires] = [-60_000, 86_400_000].map((ms) => new Date(now + ms).toISOString());
  const capture = { ...GOOD_CAPTURE, attested_at: new Date(now).toISOString() };
  writeFileSync(folder.at("app"), "the bytes of an artifact\n");
  writeFileSync(folder.at("capture.json"), JSON.stringify(capture));
  writeFileSync(
    folder.at("policy.json"),
    JSON.stringify({ ...POLICY, issued_at: issued, expires_at: expires }),
  );
  await run("key", "new", "--out", "key");
  await run("key", "convert", "key.pub", "--to", "ssh", "--out", "key.ssh");
  await run("key", "convert", "key.pub", "--to", "minisign", "--out", "key.minisign");
  await run(...ATTEST, "--out", "app.bundle");
  await run(...ATTEST, "--format", "dsse", "--out", "app.dsse");
  for (const format of ["minisign", "ssh", "raw"]) {
    const namespace = format === "ssh" ? ["--namespace", "it"] : [];
    await run("sign", "app", "--key", "key", "--format", format, ...namespace, "--out", `app.${format}.sig`);
  }
  await run("key", "new", "--out", "root.key");
  await run("key", "trust", "init", "root", "--key", "root.key");
  const ci = ["--name", "ci", "--public-key", "key.pub", "--role", "build"];
  await run("key", "trust", "add", "root", ...ci, "--key", "root.key");
  await run("policy", "sign", "policy.json", "--key", "key", "--out", "policy");
});

/** The file that is damaged, and the words that judge it. */
const VERDICTS: readonly (readonly [string, readonly string[]])[] = [
  ["app", [...ARTIFACT, "--signature", "app.minisign.sig", "--key", "key.pub"]],
  ["app.bundle", ["verify", "attestation", "app.bundle", ...SUBJECT, "--key", "key.pub"]],
  ["app.dsse", ["verify", "attestation", "app.dsse", ...SUBJECT, "--key", "key.pub"]],
  ["app.minisign.sig", [...ARTIFACT, "--signature", "app.minisign.sig", "--key", "key.minisign"]],
  ["app.ssh.sig", [...ARTIFACT, "--signature", "app.ssh.sig", "--namespace", "it", "--key", "key.ssh"]],
  ["app.raw.sig", [...ARTIFACT, "--signature", "app.raw.sig", "--key", "key.pub"]],
  ["key.pub", [...ARTIFACT, "--signature", "app.raw.sig", "--key", "key.pub"]],
  ["key.ssh", [...ARTIFACT, "--signature", "app.ssh.sig", "--namespace", "it", "--key", "key.ssh"]],
  ["key.minisign", [...ARTIFACT, "--signature", "app.minisign.sig", "--key", "key.minisign"]],
  ["root", [...ARTIFACT, "--signature", "app.minisign.sig", "--trust", "root"]],
  ["policy", ["verify", "attestation", "app.bundle", ...SUBJECT, "--key", "key.pub", "--policy", "policy"]],
];

type Verdict = { readonly code: number; readonly said: unknown };

async function verdict(words: readonly string[], cwd: string): Promise<Verdict> {
  const ran = await runWaybill([...words, "--json"], { cwd });
  const { error: _error, ...said } = JSON.parse(ran.stdout) as Record<string, unknown>;
  return { code: ran.code, said };
}

/** 2: a key that is none; 5: a policy; 6: evidence; 7: nothing that could be verified; 10: not to be understood. */
const REFUSED: ReadonlySet<number> = new Set([2, 5, 6, 7, 10]);

describe("a verdict on", () => {
  test.concurrent.each([...VERDICTS])(
    "%s, damaged at each byte",
    async (name, words) => {
      const place = folder.at(`of-${name}`);
      mkdirSync(place);
      for (const input of new Set([...words, "app", "app.bundle", name])) {
        const file = Bun.file(folder.at(input));
        if (await file.exists()) writeFileSync(join(place, input), await file.bytes());
      }
      const whole = readFileSync(join(place, name));
      const first = await verdict(words, place);
      expect(first.code).toBe(0);
      const judge = async (bytes: Uint8Array, what: string): Promise<void> => {
        writeFileSync(join(place, name), bytes);
        const found = await verdict(words, place);
        if (found.code === 0) expect({ what, ...found }).toEqual({ what, ...first });
        else expect([what, found.code, REFUSED.has(found.code)]).toEqual([what, found.code, true]);
      };
      for (let at = 0; at < whole.length; at += STEP) {
        await CUTS.try(() => judge(whole.subarray(0, at), `cut at ${at}`));
        const flipped = Uint8Array.from(whole);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
        await FLIPS.try(() => judge(flipped, `byte ${at} ^ ${1 << (at % 8)}`));
      }
    },
    FULL ? 1_200_000 : 60_000,
  );
});
