import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createKeyFile } from "../../src/trust/key-file.ts";
import { formatSshKey } from "../../src/trust/ssh-key.ts";
import { jsonOf, runWaybill } from "../support/binary.ts";
import { Host, type StageRun } from "./host.ts";

/** A host with a trust root; `trust` is `key trust` by its root key. */
async function withTrust(
  added: readonly string[],
  work: (host: Host, trust: (...words: string[]) => Promise<void>) => Promise<void>,
): Promise<void> {
  using host = new Host();
  createKeyFile(join(host.home, "root.key"));
  const trust = async (...words: string[]): Promise<void> => {
    const ran = await runWaybill(["key", "trust", ...words, "--key", "root.key"], { cwd: host.home });
    expect([ran.code, ran.stderr]).toEqual([0, ""]);
  };
  await trust("init", "trust.json");
  await trust("add", "trust.json", "--name", "release", "--public-key", host.publicKey, ...added);
  await work(host, trust);
}

const TRUSTED = ["--no-key", "--trust", "trust.json"];

function codeOf({ exit, document }: StageRun): [number, string | undefined] {
  return [exit, document.addons[0]?.error?.code];
}

describe("addon-stage under a trust root", () => {
  test("takes what a key in the role addon signed within its scopes", async () => {
    await withTrust(["--role", "addon", "--scope", "probe*"], async (host) => {
      host.assign(host.program("probe-a", "1.0.0"));
      const run = await host.stage(TRUSTED);
      expect(run.exit).toBe(0);
      expect(run.document.addons[0]).toMatchObject({ outcome: "staged", signature: { verified: true } });
      expect((await host.stage(TRUSTED)).document.addons[0]?.outcome).toBe("unchanged");
      host.assign(host.program("other", "1.0.0"));
      expect(codeOf(await host.stage(TRUSTED))).toEqual([6, "signature_invalid"]);
    });
  });

  const refused: [string, string[]][] = [
    ["in another role", ["--role", "build"]],
    ["that is not for it", ["--role", "addon", "--scope", "other"]],
    ["whose time is over", ["--role", "addon", "--until", "2020-01-01"]],
    ["whose time has not come", ["--role", "addon", "--from", "2999-01-01"]],
  ];
  test.each(refused)("case 34: refuses a key %s", async (_what, added) => {
    await withTrust(added, async (host) => {
      host.assign(host.program("probe", "1.0.0"));
      const run = await host.stage(TRUSTED);
      expect(codeOf(run)).toEqual([6, "signature_invalid"]);
    });
  });

  const HOUR = 3_600_000;
  const until = new Date(Date.now() + 240 * HOUR).toISOString();
  const lateMarks: [string, string, string][] = [
    ["of a time behind it", JSON.stringify({ highest_ms: Date.parse(until) + HOUR }), "was valid until"],
    ["that cannot be read", "{", "whether that is over cannot be told"],
  ];
  test.each(lateMarks)(
    "case 63: a key whose time was over stays so when the clock is set back, with a mark %s",
    async (_what, mark, why) => {
      await withTrust(["--role", "addon", "--until", until], async (host) => {
        const trusted = ["--trust", join(host.home, "trust.json")];
        const offered = ["--assignments", host.list, ...trusted];
        const entry = host.program("probe", "1.0.0");
        host.assign(entry);
        expect((await host.stage(TRUSTED)).exit).toBe(0);
        writeFileSync(join(host.root, "clock.json"), mark);
        const kept = { outcome: "kept_last_known_good", error: { code: "signature_invalid" } };
        const late = await host.stage(TRUSTED);
        expect(late.document.addons).toMatchObject([kept]);
        expect(late.stderr).toContain(why);
        expect(await host.verify(trusted)).toMatchObject({ exit: 6, document: { accepted: [] } });
        expect((await host.addon("fsck", trusted)).exit).toBe(6);
        host.assign(entry, host.program("next", "1.0.0"));
        const { document } = await host.stage(TRUSTED);
        expect(document.addons).toMatchObject([kept, { error: { code: "signature_invalid" } }]);
        const plan = await host.addon("plan", offered);
        expect(plan.document).toMatchObject({ addons: [{}, { error: { code: "signature_invalid" } }] });
      });
    },
  );

  test.each([["{"], [JSON.stringify({ highest_ms: Date.parse("2999-06-01") })]])(
    "a key whose time has not come gains none by a mark of the clock: %s",
    async (mark) => {
      await withTrust(["--role", "addon", "--from", "2999-01-01"], async (host) => {
        host.assign();
        await host.stage(TRUSTED);
        writeFileSync(join(host.root, "clock.json"), mark);
        host.assign(host.program("probe", "1.0.0"));
        expect(codeOf(await host.stage(TRUSTED))).toEqual([6, "signature_invalid"]);
      });
    },
  );

  test("case 34: refuses what a revoked key signed, also when it is staged already, but for what is still trusted", async () => {
    await withTrust(["--role", "addon"], async (host, trust) => {
      const kept = host.program("kept", "1.0.0");
      const lost = host.program("lost", "1.0.0");
      host.assign(kept, lost);
      expect((await host.stage(TRUSTED)).exit).toBe(0);
      const digest = `sha256:${String(kept["artifact_sha256"])}`;
      await trust("revoke", "trust.json", "release", "--still-trusted", digest);
      const run = await host.stage(TRUSTED);
      const found = run.document.addons.map(({ addon_id, outcome, error }) => [
        addon_id,
        outcome,
        error?.code,
      ]);
      expect(found).toEqual([
        ["kept", "unchanged", undefined],
        ["lost", "kept_last_known_good", "signature_invalid"],
      ]);
      expect(run.stderr).toContain("was revoked");
    });
  });

  test("remembers the newest root, and refuses an older one", async () => {
    await withTrust(["--role", "addon"], async (host, trust) => {
      host.assign(host.program("probe", "1.0.0"));
      const old = readFileSync(join(host.home, "trust.json"));
      await trust("revoke", "trust.json", "release");
      await host.stage([...TRUSTED, "--trust-state", "seen.json"]);
      writeFileSync(join(host.home, "trust.json"), old);
      const run = await host.stage([...TRUSTED, "--trust-state", "seen.json"]);
      expect([run.exit, run.document.error?.code]).toEqual([6, "trust_root_rollback"]);
      expect(run.document.addons).toEqual([]);
    });
  });

  test("is planned and explained by the same keys", async () => {
    await withTrust(["--role", "build"], async (host) => {
      host.assign(host.program("probe", "1.0.0"));
      const plan = await host.addon("plan", [
        "--assignments",
        host.list,
        "--trust",
        join(host.home, "trust.json"),
      ]);
      expect(plan.document).toMatchObject({ addons: [{ error: { code: "signature_invalid" } }] });
    });
  });

  test("a key for OpenSSH signatures alone signs no add-on, which is told", async () => {
    await withTrust(["--role", "addon"], async (host, trust) => {
      await trust("remove", "trust.json", "release");
      const line = formatSshKey(Buffer.from(host.publicKey, "base64"));
      writeFileSync(join(host.home, "allowed"), `release namespaces="git" ${line}\n`);
      await trust("import", "trust.json", "--allowed-signers", "allowed", "--role", "addon");
      host.assign(host.program("probe", "1.0.0"));
      const run = await host.stage(TRUSTED);
      expect(codeOf(run)).toEqual([6, "signature_invalid"]);
      expect(run.stderr).toContain(
        'key "release" is not trusted outside of OpenSSH signatures, only in namespace git; it signs no add-on',
      );
    });
  });

  test("case 34: has no use for a second way to say who may sign", async () => {
    await withTrust(["--role", "addon"], async (host) => {
      host.assign(host.program("probe", "1.0.0"));
      expect(
        (await host.stage(["--key", host.publicKey, "--trust", "trust.json"])).document.error?.code,
      ).toBe("flags_contradict");
      expect((await host.stage(["--trust-state", "seen.json"])).document.error?.code).toBe(
        "flags_contradict",
      );
    });
  });

  test("is proven afterwards by the same root, and not when its key was revoked or another role's", async () => {
    await withTrust(["--role", "addon"], async (host, trust) => {
      const [kept, lost] = [host.program("kept", "1.0.0"), host.program("lost", "1.0.0")];
      host.assign(kept, lost);
      expect((await host.stage(TRUSTED)).exit).toBe(0);
      const look = async (...words: string[]): Promise<[number, unknown]> => {
        const args = [...words, "--root", host.root, "--trust", "trust.json", "--json"];
        const ran = await runWaybill(args, { cwd: host.home });
        return [ran.code, jsonOf(ran)];
      };
      expect(await look("verify", "addon")).toMatchObject([0, { checked: 2, refusals: [] }]);
      expect(await look("addon", "fsck")).toMatchObject([0, {}]);
      const digest = `sha256:${String(kept["artifact_sha256"])}`;
      await trust("revoke", "trust.json", "release", "--still-trusted", digest);
      expect(await look("verify", "addon")).toMatchObject([
        6,
        { accepted: [{ addon_id: "kept" }], refusals: [{ code: "signature_invalid" }] },
      ]);
      expect(await look("verify", "addon", "lost")).toMatchObject([6, { accepted: [] }]);
      expect(await look("addon", "fsck", "--id", "lost")).toMatchObject([6, {}]);
      // A root that trusts nobody with add-ons proves nothing, which is not the same as asking for nothing.
      await trust("remove", "trust.json", "release");
      expect(await look("verify", "addon", "kept")).toMatchObject([6, { accepted: [] }]);
    });
  });
});
