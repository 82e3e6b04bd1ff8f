import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CAPTURE_TYPE } from "../../src/trust/attestation-types.ts";
import { Host } from "../addons/host.ts";
import { promote } from "../control-plane/served.ts";
import { BINARY, CLEAN_ENVIRONMENT, PROGRAM, runProgram, runWaybill } from "../support/binary.ts";
import { CAN_MAKE_CERTIFICATES, makeCertificates } from "../support/certificates.ts";
import { startControlPlane } from "../support/control-plane.ts";
import { pointsOf } from "../support/points.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { GOOD_CAPTURE, POLICY } from "../trust/attestations.ts";

/** Everything that begins or ends at some time, judged by a program whose clock says another one. */
const POINTS = pointsOf("the clock before, at and behind each bound in time, by seconds and by years");
const JUMPS = pointsOf("a clock that jumps forth and back");
const HAS_FAKETIME = Bun.which("faketime") !== null && BINARY !== null;

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const FROM = new Date("2027-01-01T00:00:00Z");
const UNTIL = new Date("2027-07-01T00:00:00Z");
const MINUTES = 60_000;
const DAYS = 24 * 60 * MINUTES;
const YEARS = 365 * DAYS;

/** As in `faketime -f`: the clock starts there, and goes on. */
async function codeAt(at: Date, words: readonly string[]): Promise<number> {
  const told = `@${at.toISOString().slice(0, 19).replace("T", " ")}`;
  const ran = await runProgram(["faketime", "-f", told, ...PROGRAM, ...words], {
    cwd: folder.path,
    env: { TZ: "UTC", WAYBILL_TOKEN_IT: token },
  });
  return ran.code;
}

let token = "";

async function run(...words: readonly string[]): Promise<void> {
  const ran = await runWaybill(words, { cwd: folder.path });
  if (ran.code !== 0) throw new Error(`${words.join(" ")}: ${ran.stderr}`);
}

beforeAll(async () => {
  if (!HAS_FAKETIME) return;
  const predicate = { ...GOOD_CAPTURE, attested_at: FROM.toISOString() };
  writeFileSync(folder.at("app"), "bytes");
  writeFileSync(folder.at("capture.json"), JSON.stringify(predicate));
  const lasting = { issued_at: "2020-01-01T00:00:00Z", expires_at: "2099-01-01T00:00:00Z" };
  const ageless = POLICY.rules.map((rule) => ({ ...rule, max_age: undefined }));
  const dated = { issued_at: FROM.toISOString(), expires_at: UNTIL.toISOString() };
  writeFileSync(folder.at("dated.json"), JSON.stringify({ ...POLICY, rules: ageless, ...dated }));
  const aged = POLICY.rules.map((rule) => ({ ...rule, max_age: "30d" }));
  writeFileSync(folder.at("aged.json"), JSON.stringify({ ...POLICY, rules: aged, ...lasting }));
  for (const name of ["key", "root.key"]) await run("key", "new", "--out", name);
  await run("key", "trust", "init", "root", "--key", "root.key");
  const window = ["--from", "2027-01-01T00:00:00Z", "--until", "2027-07-01T00:00:00Z"];
  const added = ["--name", "it", "--public-key", "key.pub", "--role", "build", ...window];
  await run("key", "trust", "add", "root", ...added, "--key", "root.key");
  await run("sign", "app", "--key", "key", "--format", "ssh", "--namespace", "it", "--out", "app.sig");
  await run("key", "convert", "key.pub", "--to", "ssh", "--out", "key.ssh");
  const dates = 'namespaces="it",valid-after="20270101Z",valid-before="20270701Z"';
  writeFileSync(
    folder.at("signers"),
    `me@example.com ${dates} ${readFileSync(folder.at("key.ssh"), "utf8")}`,
  );
  const type = ["--predicate-type", CAPTURE_TYPE];
  await run("attest", "app", "--predicate", "capture.json", ...type, "--key", "key", "--out", "app.bundle");
  for (const name of ["dated", "aged"])
    await run("policy", "sign", `${name}.json`, "--key", "key", "--out", `${name}.policy`);
});

const ARTIFACT = ["verify", "artifact", "app", "--signature", "app.sig", "--namespace", "it"];
const ATTESTATION = ["verify", "attestation", "app.bundle", "--subject", "app", "--key", "key.pub"];

/** What ends, how it is judged, and the times between which it holds. */
const WINDOWS: readonly (readonly [string, readonly string[], Date, Date])[] = [
  ["a key of a trust root", [...ARTIFACT, "--trust", "root"], FROM, UNTIL],
  ["a line of allowed signers", [...ARTIFACT, "--trust", "signers"], FROM, UNTIL],
  [
    "a signed policy",
    [...ATTESTATION, "--policy", "dated.policy"],
    new Date(FROM.getTime() - 5 * MINUTES),
    UNTIL,
  ],
  [
    "what a policy lets an attestation be old",
    [...ATTESTATION, "--policy", "aged.policy"],
    new Date(FROM.getTime() - 5 * MINUTES),
    new Date(FROM.getTime() + 30 * DAYS),
  ],
];

/** A process takes a moment to look at its clock, so that seconds are as near as one gets. */
function times(from: Date, until: Date): readonly (readonly [Date, boolean])[] {
  const at = (base: Date, ms: number): Date => new Date(base.getTime() + ms);
  return [
    [new Date("1970-01-02T00:00:00Z"), false],
    [at(from, -YEARS), false],
    [at(from, -30_000), false],
    [at(from, 30_000), true],
    [at(until, -30_000), true],
    [at(until, 30_000), false],
    [at(until, YEARS), false],
    [at(until, 50 * YEARS), false],
  ];
}

/** 5: a policy; 6: evidence; 2: a clock behind the time at which the program was built, by which nothing is judged. */
function refusals(at: Date): readonly number[] {
  return at.getTime() < Date.now() - DAYS ? [2] : [5, 6];
}

describe.skipIf(!HAS_FAKETIME)("a clock that is elsewhere (needs faketime)", () => {
  test.each([...WINDOWS])("%s", async (_name, words, from, until) => {
    for (const [at, holds] of times(from, until)) {
      await POINTS.try(async () => {
        const code = await codeAt(at, words);
        expect([at, code, holds ? code === 0 : refusals(at).includes(code)]).toEqual([at, code, true]);
      });
    }
  });

  test("the statement of an add-on", async () => {
    using host = new Host();
    const entry = host.program("sample", "1");
    host.assign(host.stated(entry, { expires: UNTIL.toISOString() }));
    const limits = times(new Date("1960-01-01T00:00:00Z"), UNTIL).slice(3);
    for (const [at, holds] of limits.filter(([time]) => time.getFullYear() > 2000)) {
      rmSync(host.root, { recursive: true, force: true });
      await POINTS.try(async () =>
        expect([at, await codeAt(at, host.arguments())]).toEqual([at, holds ? 0 : 5]),
      );
    }
  });

  test("the statement of an add-on, on a host that saw a later time before its clock was set back", async () => {
    using host = new Host();
    host.assign(host.program("other", "1"));
    expect(await codeAt(new Date(UNTIL.getTime() + DAYS), host.arguments())).toBe(0);
    host.assign(host.stated(host.program("sample", "1"), { expires: UNTIL.toISOString() }));
    for (const back of [DAYS * 2, YEARS, 50 * YEARS]) {
      const at = new Date(UNTIL.getTime() + DAYS - back);
      await JUMPS.try(async () => expect([at, await codeAt(at, host.arguments())]).toEqual([at, 5]));
    }
  });

  test("what ended on a host that saw no time yet, by a clock from before the program was made", async () => {
    using host = new Host();
    const [before, ended] = [new Date("2024-01-01T00:00:00Z"), "2024-07-01T00:00:00Z"];
    const root = join(host.home, "root.json");
    await run("key", "trust", "init", root, "--key", "root.key");
    const release = ["--name", "release", "--public-key", host.publicKey, "--role", "addon"];
    await run("key", "trust", "add", root, ...release, "--until", ended, "--key", "root.key");
    const entry = host.program("sample", "1");
    host.assign(entry);
    expect(await codeAt(before, host.arguments(["--no-key", "--trust", root]))).toBe(6);
    rmSync(host.root, { recursive: true });
    host.assign(host.stated(entry, { expires: ended }));
    expect(await codeAt(before, host.arguments())).toBe(5);
  });

  test.skipIf(!CAN_MAKE_CERTIFICATES)("the certificate of a server", async () => {
    const { ca, server: pair } = makeCertificates(folder);
    for (const [name, text] of Object.entries({ ca, cert: pair.cert, key: pair.key }))
      writeFileSync(folder.at(`tls.${name}`), text, { mode: 0o600 });
    const tls = ["--tls-cert", folder.at("tls.cert"), "--tls-key", folder.at("tls.key")];
    const server = await startControlPlane({ args: tls });
    try {
      token = await server.token(["pins:read"]);
      const target = ["--target", `it=${server.address}`, "--cacert", "tls.ca", "--timeout", "2s"];
      const words = ["verify", "pin", "--template", "x", "--digest", `sha256:${"0".repeat(64)}`, ...target];
      const now = Date.now();
      // 7: there is no such pin, which an answer said. Before the program was built no certificate is judged.
      const limits: readonly (readonly [number, number])[] = [
        [now - 20 * YEARS, 2],
        [now - DAYS, 2],
        [now, 7],
        [now + 2 * DAYS, 12],
        [now + 20 * YEARS, 12],
      ];
      for (const [at, wanted] of limits)
        await POINTS.try(async () => expect([at, await codeAt(new Date(at), words)]).toEqual([at, wanted]));
    } finally {
      await server.stop();
    }
  });

  test("a token, while the clock of the server jumps forth and back, and the record of events goes on", async () => {
    using own = temporaryFolder();
    const data = join(own.path, "data");
    const plain = await startControlPlane({ data });
    const held = await plain.token(["pins:write"]);
    const auditor = await plain.token(["audit:read"]);
    await plain.stop();
    const clock = own.at("clock");
    const set = (offset: string): void => writeFileSync(clock, `${offset}\n`);
    set("+0");
    const preload = await runProgram(["faketime", "-f", "+0", "printenv", "LD_PRELOAD"]);
    const child = Bun.spawn([...PROGRAM, "serve", "--json", "--listen", "127.0.0.1:0", "--data", data], {
      env: {
        ...CLEAN_ENVIRONMENT,
        LD_PRELOAD: preload.stdout.trim(),
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_NO_CACHE: "1",
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    try {
      const { value } = await child.stdout.getReader().read();
      const { listening: address } = JSON.parse(new TextDecoder().decode(value)) as { listening: string };
      const statusNow = async (): Promise<number> =>
        (await promote({ ...plain, address }, held, "it")).status;
      const steps: readonly (readonly [string, number])[] = [
        ["+0", 200],
        ["+59m", 200],
        ["+61m", 401],
        ["+10y", 401],
        ["+0", 200],
        ["-10y", 200],
      ];
      for (const [offset, wanted] of steps) {
        set(offset);
        await JUMPS.try(async () => expect([offset, await statusNow()]).toEqual([offset, wanted]));
      }
      set("+0");
      const words = ["verify", "audit", "--chain", "--target", `it=${address}`, "--allow-insecure-http"];
      const chain = await runWaybill([...words, "--json"], { env: { WAYBILL_TOKEN_IT: auditor } });
      expect([chain.code, chain.stderr]).toEqual([0, ""]);
    } finally {
      child.kill("SIGTERM");
      await child.exited;
      // The library leaves them where a program ends at once, and then stops one that gets the same process id.
      for (const name of ["faketime_shm_", "sem.faketime_sem_"])
        rmSync(`/dev/shm/${name}${child.pid}`, { force: true });
    }
  });
});
