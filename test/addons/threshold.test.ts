import { afterAll, describe, expect, test } from "bun:test";
import { createPrivateKey, type KeyObject } from "node:crypto";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createKeyFile } from "../../src/trust/key-file.ts";
import { jsonOf, runWaybill } from "../support/binary.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";
import { Host, type Entry, type StageRun } from "./host.ts";
import { loadSigningKey } from "../trust/keys-in-files.ts";

const NAMES = ["alice", "bob", "carol"] as const;
type Name = (typeof NAMES)[number];
type Signature = { keyid?: string; sig: string };
type Statement = { payload: string; payloadType: string; signatures: Signature[] };

/** Three keys and a trust root that wants two of them to sign an add-on, made once. */
const madeOnce: TemporaryFolder = temporaryFolder();
let made: Promise<void> | null = null;
afterAll(() => madeOnce[Symbol.dispose]());

async function makeRoot(): Promise<void> {
  createKeyFile(join(madeOnce.path, "root.key"));
  await trustIn(madeOnce.path, "init", "trust.json");
  for (const name of NAMES) {
    const { publicFile } = createKeyFile(join(madeOnce.path, `${name}.key`));
    const key = ["--name", name, "--public-key", publicFile, "--role", "addon"];
    await trustIn(madeOnce.path, "add", "trust.json", ...key, "--threshold", "addon=2");
  }
}

async function trustIn(cwd: string, ...words: string[]): Promise<void> {
  const ran = await runWaybill(["key", "trust", ...words, "--key", "root.key"], { cwd });
  expect([ran.code, ran.stderr]).toEqual([0, ""]);
}

/** A host with that root. */
class Team implements Disposable {
  readonly host: Host = new Host();
  readonly keyids: Record<Name, string> = { alice: "", bob: "", carol: "" };
  readonly #keys = new Map<string, KeyObject>();

  static async make(): Promise<Team> {
    made ??= makeRoot();
    await made;
    const team = new Team();
    cpSync(madeOnce.path, team.host.home, { recursive: true });
    for (const name of NAMES) {
      const file = join(team.host.home, `${name}.key`);
      team.keyids[name] = loadSigningKey(file).publicKey.keyid;
      team.#keys.set(name, createPrivateKey(readFileSync(file)));
    }
    return team;
  }

  /** `key trust` by the root key. */
  trust(...words: string[]): Promise<void> {
    return trustIn(this.host.home, ...words);
  }

  /** The same assignment with a statement that these people signed, and the bytes signed by the first of them. */
  signed(entry: Entry, names: readonly Name[]): Entry {
    const statements = names.map((name) => this.#statement(entry, name));
    const [first] = statements;
    if (first === undefined) return entry;
    const signatures = statements.flatMap((statement, index) =>
      statement.signatures.map(({ sig }) => ({ keyid: this.keyids[names[index] ?? "alice"], sig })),
    );
    return { ...entry, artifact_statement: { ...first, signatures } };
  }

  #statement(entry: Entry, name: Name): Statement {
    return this.host.stated(entry, {}, this.#keys.get(name))["artifact_statement"] as Statement;
  }

  stage(...extra: string[]): Promise<StageRun> {
    return this.host.stage(["--no-key", "--trust", "trust.json", ...extra]);
  }

  [Symbol.dispose](): void {
    this.host[Symbol.dispose]();
  }
}

function ended({ exit, document }: StageRun): [number, string | undefined, string | undefined] {
  const [first] = document.addons;
  return [exit, first?.outcome, first?.error?.code];
}

const REFUSED = [6, "skipped", "threshold_not_met"];
const KEPT = [3, "kept_last_known_good", "threshold_not_met"];

describe("an add-on that two of three keys have to sign", () => {
  const taken: [string, Name[]][] = [
    ["two", ["alice", "bob"]],
    ["two others, in another order", ["carol", "bob"]],
    ["all three", ["alice", "bob", "carol"]],
  ];
  test.each(taken)("is staged when %s signed", async (_what, names) => {
    using team = await Team.make();
    team.host.assign(team.signed(team.host.program("probe", "1.0.0"), names));
    const run = await team.stage();
    const keyids = names.map((name) => team.keyids[name]);
    expect(ended(run)).toEqual([0, "staged", undefined]);
    expect(JSON.parse(readFileSync(join(team.host.root, "audit.jsonl"), "utf8"))).toMatchObject({
      event: "staged",
      keyids,
    });
    expect(run.document.addons[0]?.signature).toEqual({ verified: true, keyid: keyids[0] ?? "", keyids });
    expect((await team.stage()).document.addons).toMatchObject([{ outcome: "unchanged", action: "none" }]);
  });

  type Change = (statement: Statement, team: Team) => Statement;
  const attacks: [string, Name[], Change, RegExp][] = [
    [
      "one signed",
      ["alice"],
      (said) => said,
      /^1 of the wanted 2 keys signed .* \(alice\); missing: 1 of bob, carol$/u,
    ],
    [
      "one signed twice",
      ["bob", "bob"],
      (said) => said,
      /^1 of the wanted 2 .* \(bob\); missing: 1 of alice, carol$/u,
    ],
    [
      "one signed, under two keyids",
      ["alice", "alice"],
      (said) => ({
        ...said,
        signatures: said.signatures.map(({ sig }, at) => (at === 0 ? { sig } : { keyid: "ci", sig })),
      }),
      /^1 of the wanted 2 .* \(alice\)/u,
    ],
    [
      "one signed, in two spellings of base64",
      ["alice", "alice"],
      (said) => ({
        ...said,
        signatures: said.signatures.map(({ sig }, at) => ({
          sig: at === 0 ? sig : sig.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""),
        })),
      }),
      /^1 of the wanted 2 .* \(alice\)/u,
    ],
    [
      "a store took a signature away",
      ["alice", "bob"],
      (said) => ({ ...said, signatures: said.signatures.slice(1) }),
      /^1 of the wanted 2 .* \(bob\); missing: 1 of alice, carol$/u,
    ],
    [
      "one signature is said to be another's",
      ["alice", "bob"],
      (said, team) => ({
        ...said,
        signatures: said.signatures.map(({ sig }) => ({ keyid: team.keyids.carol, sig })),
      }),
      /^0 of the wanted 2 keys signed/u,
    ],
    [
      "nobody's signature is left",
      ["alice"],
      (said) => ({ ...said, signatures: [] }),
      /^0 of the wanted 2 .*missing: 2 of alice, bob, carol$/u,
    ],
  ];
  test.each(attacks)("is refused when %s", async (_what, names, change, message) => {
    using team = await Team.make();
    const entry = team.signed(team.host.program("probe", "1.0.0"), names);
    team.host.assign({
      ...entry,
      artifact_statement: change(entry["artifact_statement"] as Statement, team),
    });
    const run = await team.stage();
    expect(ended(run)).toEqual(REFUSED as [number, string, string]);
    expect(run.document.addons[0]?.error?.message).toMatch(message);
  });

  test("is refused with a signature over its bytes alone, which is one", async () => {
    using team = await Team.make();
    team.host.assign(team.host.program("probe", "1.0.0"));
    const run = await team.stage();
    expect(ended(run)).toEqual(REFUSED as [number, string, string]);
    expect(run.document.addons[0]?.error?.message).toStartWith("0 of the wanted 2 keys signed");
  });

  test("is refused when a second statement of other bytes makes up the number", async () => {
    using team = await Team.make();
    const entry = team.signed(team.host.program("probe", "1.0.0"), ["alice"]);
    const other = team.signed(team.host.program("probe", "1.0.0", "#!/bin/sh\n"), ["bob"]);
    const lines = [entry, other].map((one) => JSON.stringify(one["artifact_statement"]));
    team.host.assign({ ...entry, artifact_statement: lines.join("\n") });
    expect(ended(await team.stage())).toEqual(REFUSED as [number, string, string]);
  });

  test("is refused by a store that brings other bytes than were signed", async () => {
    using team = await Team.make();
    const entry = team.signed(team.host.program("probe", "1.0.0"), ["alice", "bob"]);
    writeFileSync(
      join(team.host.store, String(entry["artifact_object_key"])),
      `#!/bin/sh\necho probe 9.9.9\n`,
    );
    team.host.assign(entry);
    expect(ended(await team.stage())).toEqual([6, "skipped", "hash_mismatch"]);
  });

  test("survives the loss of one key, and not that of two", async () => {
    using team = await Team.make();
    team.host.assign(team.signed(team.host.program("probe", "1.0.0"), ["alice", "bob", "carol"]));
    expect(ended(await team.stage())).toEqual([0, "staged", undefined]);
    // The bytes carry a signature by somebody else altogether: what counts is the statement.
    await team.trust("revoke", "trust.json", "alice", "--reason", "stolen");
    const second = await team.stage();
    expect(ended(second)).toEqual([0, "unchanged", undefined]);
    expect(second.document.addons[0]?.signature.keyids).toEqual([team.keyids.bob, team.keyids.carol]);
    await team.trust(
      "rotate",
      "trust.json",
      "bob",
      "--new-name",
      "dave",
      "--public-key",
      team.host.publicKey,
      "--overlap",
      "0s",
    );
    const third = await team.stage();
    expect(ended(third)).toEqual(KEPT as [number, string, string]);
    const { message } = third.document.addons[0]?.error ?? { message: "" };
    expect(message).toContain("1 of the wanted 2 keys signed");
    expect(message).toContain('key "alice" was revoked');
    expect(message).toContain('key "bob"');
  });

  test("sticks: neither bare keys nor an older root nor nothing at all ask for less", async () => {
    using team = await Team.make();
    const { host } = team;
    const old = readFileSync(join(host.home, "trust.json"));
    host.assign(team.signed(host.program("probe", "1.0.0"), ["alice", "bob"]));
    expect((await team.stage()).exit).toBe(0);
    const one = team.signed(host.program("probe", "2.0.0"), ["alice"]);
    host.assign(one);
    const keys = ["--key", join(host.home, "alice.key.pub"), "--key", host.publicKey];
    expect(ended(await host.stage(keys))).toEqual(KEPT as [number, string, string]);
    // Unassigned and assigned again: the host remembers.
    host.assign();
    await team.stage();
    host.assign(one);
    expect(ended(await host.stage(keys))).toEqual(REFUSED as [number, string, string]);
    const allowed = await host.stage([...keys, "--allow-unsigned", "probe"]);
    expect(allowed.document).toMatchObject({
      addons: [{ outcome: "staged" }],
      warnings: [{ code: "fewer_signers_allowed" }],
    });
    // One exception is not the end of it.
    host.assign(team.signed(host.program("probe", "3.0.0"), ["alice"]));
    expect(ended(await host.stage(keys))[2]).toBe("threshold_not_met");
    // Two bare keys that did sign are as many.
    host.assign(team.signed(host.program("probe", "3.0.0"), ["alice", "bob"]));
    const both = [...keys, "--key", join(host.home, "bob.key.pub")];
    expect(ended(await host.stage(both))).toEqual([0, "staged", undefined]);
    // The root itself may ask for less, in a newer version, and is told so; an old one may not.
    await team.trust("remove", "trust.json", "carol", "--threshold", "addon=1");
    host.assign(team.signed({ ...host.program("probe", "4.0.0") }, ["alice"]));
    const lowered = await host.stage(["--no-key", "--trust", "trust.json"]);
    expect(ended(lowered)).toEqual([3, "kept_last_known_good", "signature_invalid"]);
    writeFileSync(join(host.home, "trust.json"), old);
    expect(ended(await team.stage())[2]).toBe("threshold_not_met");
  });

  test("asks for less when a newer version of the root does, and says so once", async () => {
    using team = await Team.make();
    const { host } = team;
    host.assign(team.signed(host.program("probe", "1.0.0"), ["alice", "bob"]));
    expect((await team.stage()).exit).toBe(0);
    await team.trust(
      "add",
      "trust.json",
      "--name",
      "release",
      "--public-key",
      host.publicKey,
      "--role",
      "addon",
      "--threshold",
      "addon=1",
    );
    host.assign(team.signed(host.program("probe", "2.0.0"), ["alice"]));
    const run = await team.stage();
    expect(run.document).toMatchObject({
      addons: [{ outcome: "staged" }],
      warnings: [{ code: "threshold_lowered" }],
    });
    expect(readFileSync(join(host.root, "audit.jsonl"), "utf8")).toContain('"event":"threshold_lowered"');
    expect((await team.stage()).document.warnings).toEqual([]);
  });

  test("goes on, is repaired, proven, explained and carried elsewhere without a network", async () => {
    using team = await Team.make();
    const { host } = team;
    const entry = team.signed(host.program("probe", "1.0.0"), ["alice", "carol"]);
    host.assign(entry);
    expect((await team.stage()).exit).toBe(0);
    host.emptyStore();
    const trust = ["--trust", join(host.home, "trust.json")];
    const keyids = [team.keyids.alice, team.keyids.carol];
    expect((await host.addon("status", ["--assignments", host.list])).document).toMatchObject({
      addons: [{ keys_wanted: 2, has: { keyids } }],
    });
    const shown = await runWaybill(["addon", "status", "--root", host.root]);
    expect(shown.stdout).toContain(", 2 of 2 keys signed\n");
    expect(
      (await host.addon("explain", ["probe", "--assignments", host.list, ...trust])).document,
    ).toMatchObject({
      host: { keys_wanted: 2, statement_signed_by: keyids },
    });
    expect(await host.verify(trust)).toMatchObject({
      exit: 0,
      document: { accepted: [{ threshold: 2, keyids, statement: { keyids } }] },
    });
    const verified = await runWaybill(["verify", "addon", "--root", host.root, ...trust]);
    expect(verified.stdout).toContain(`signed by 2 keys, wanted 2: ${keyids.join(", ")}`);
    writeFileSync(host.path("probe/versions/1.0.0/probe"), "damaged");
    expect(await host.addon("fsck", ["--repair", ...trust])).toMatchObject({
      exit: 0,
      document: { findings: [{ repaired: true, keyids }] },
    });
    const out = join(host.home, "addons.tar");
    expect((await host.addon("export", ["--out", out])).exit).toBe(0);
    const far = ["--root", join(host.home, "far"), ...trust];
    expect(await host.addon("import", [out, ...far])).toMatchObject({
      exit: 0,
      document: { addons: [{ outcome: "staged", signature: { keyids } }] },
    });
    // One of the two is revoked: what runs goes on, and nothing proves it any more.
    await team.trust("revoke", "trust.json", "carol");
    expect(await host.verify(trust)).toMatchObject({
      exit: 6,
      document: { refusals: [{ code: "threshold_not_met" }] },
    });
    expect(await host.addon("fsck", trust)).toMatchObject({
      exit: 6,
      document: { findings: [{ error: { code: "threshold_not_met" } }] },
    });
    rmSync(join(host.home, "far"), { recursive: true });
    expect(await host.addon("import", [out, ...far])).toMatchObject({
      exit: 6,
      document: { addons: [{ error: { code: "threshold_not_met" } }] },
    });
    expect(ended(await team.stage())).toEqual(KEPT as [number, string, string]);
  });

  test("takes a second signature on a statement in a file, and on nothing else", async () => {
    using team = await Team.make();
    const { host } = team;
    const entry = team.signed(host.program("probe", "1.0.0"), ["alice"]);
    const file = join(host.home, "probe.intoto.json");
    writeFileSync(file, JSON.stringify(entry["artifact_statement"]));
    const sign = async (path: string, key: string): Promise<[number, Record<string, unknown>]> => {
      const ran = await runWaybill(["sign", path, "--key", key, "--format", "dsse", "--json"], {
        cwd: host.home,
      });
      return [ran.code, jsonOf(ran)];
    };
    expect(await sign(file, "bob.key")).toMatchObject([0, { signatures: 2, keyid: team.keyids.bob }]);
    // Signing again changes nothing.
    expect(await sign(file, "bob.key")).toMatchObject([0, { signatures: 2 }]);
    host.assign({ ...entry, artifact_statement: readFileSync(file, "utf8") });
    expect(ended(await team.stage())).toEqual([0, "staged", undefined]);
    expect(await sign("-", "bob.key")).toMatchObject([2, { error: { code: "flag_missing" } }]);
    // A Sigstore bundle holds one signature, and is not turned into something else under its name.
    const attested = [
      "attest",
      file,
      "--predicate",
      "p.json",
      "--predicate-type",
      "https://example.com/r/v1",
    ];
    writeFileSync(join(host.home, "p.json"), "{}");
    const bundle = [...attested, "--key", "alice.key", "--out", "one.sigstore.json"];
    expect((await runWaybill(bundle, { cwd: host.home })).code).toBe(0);
    expect(await sign("one.sigstore.json", "bob.key")).toMatchObject([
      2,
      { error: { code: "flag_missing" } },
    ]);
    expect(await sign("trust.json", "bob.key")).toMatchObject([
      6,
      { error: { code: "payload_type_mismatch" } },
    ]);
    expect(await sign("alice.key.pub", "bob.key")).toMatchObject([
      6,
      { error: { code: "attestation_malformed" } },
    ]);
  });
});
