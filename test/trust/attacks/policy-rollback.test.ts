import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { jsonOf } from "../../support/binary.ts";
import type { TemporaryFolder } from "../../support/temporary.ts";
import { POLICY } from "../attestations.ts";
import { prepared, runIn } from "../attested.ts";

/** An old policy is as well signed as the one that took its place, until it expires. */

async function sign(folder: TemporaryFolder, file: string, changes: object): Promise<void> {
  const now = Date.now();
  const dated = {
    ...POLICY,
    issued_at: new Date(now - 1_000).toISOString(),
    expires_at: new Date(now + 86_400_000).toISOString(),
    ...changes,
  };
  writeFileSync(folder.at(`${file}.json`), JSON.stringify(dated));
  const ran = await runIn(folder)("policy", "sign", `${file}.json`, "--key", "bob.key");
  expect(ran.code).toBe(0);
}

async function check(folder: TemporaryFolder, file: string): Promise<[number, string | undefined]> {
  const words = [
    "policy",
    "check",
    `${file}.signed.json`,
    "--key",
    "bob.key.pub",
    "--policy-state",
    "seen.json",
  ];
  const ran = await runIn(folder)(...words, "--json");
  return [ran.code, (jsonOf(ran)["error"] as { code: string } | undefined)?.code];
}

describe("a policy that somebody put back", () => {
  test("is refused where the newer one was seen", async () => {
    using folder = prepared();
    await sign(folder, "old", { version: 6 });
    await sign(folder, "new", { version: 7 });
    expect(await check(folder, "old")).toEqual([0, undefined]);
    expect(await check(folder, "new")).toEqual([0, undefined]);
    expect(await check(folder, "new")).toEqual([0, undefined]);
    expect(await check(folder, "old")).toEqual([6, "policy_rollback"]);
    expect(JSON.parse(readFileSync(folder.at("seen.json"), "utf8"))).toMatchObject({ version: 7 });
  });

  test("is refused as another one of the same version, and under another name", async () => {
    using folder = prepared();
    await sign(folder, "one", { version: 7 });
    await sign(folder, "twin", { version: 7, expires_at: "2999-01-01T00:00:00Z" });
    await sign(folder, "other", { version: 8, name: "for staging" });
    expect(await check(folder, "one")).toEqual([0, undefined]);
    expect(await check(folder, "twin")).toEqual([6, "policy_rollback"]);
    expect(await check(folder, "other")).toEqual([6, "policy_rollback"]);
  });

  test("is not let in by a state that somebody emptied", async () => {
    using folder = prepared();
    await sign(folder, "one", { version: 7 });
    writeFileSync(folder.at("seen.json"), "");
    expect(await check(folder, "one")).toEqual([2, "config_invalid"]);
  });

  test("leaves no trace when nobody signed it", async () => {
    using folder = prepared();
    await sign(folder, "one", { version: 7 });
    const words = [
      "policy",
      "check",
      "one.signed.json",
      "--key",
      "alice.key.pub",
      "--policy-state",
      "seen.json",
    ];
    expect((await runIn(folder)(...words)).code).toBe(6);
    expect(await Bun.file(folder.at("seen.json")).exists()).toBe(false);
  });

  test("is seen by a promotion too, before anything is sent", async () => {
    using folder = prepared();
    await sign(folder, "old", { version: 6 });
    await sign(folder, "new", { version: 7 });
    await check(folder, "new");
    writeFileSync(folder.at("token"), "a-token-of-prod");
    const digest = `sha256:${"a".repeat(64)}`;
    await runIn(folder)(
      "attest",
      digest,
      "--predicate",
      "predicate.json",
      "--predicate-type",
      "https://x.example/y",
      "--key",
      "alice.key",
      "--out",
      "it.json",
    );
    const ran = await runIn(folder)(
      ...["promote", "--template", "codex", "--digest", digest, "--target", "prod=http://127.0.0.1:9"],
      ...[
        "--allow-insecure-http",
        "--token-file",
        "prod=token",
        "--attestation",
        "it.json",
        "--key",
        "alice.key.pub",
      ],
      ...[
        "--policy",
        "old.signed.json",
        "--policy-key",
        "bob.key.pub",
        "--policy-state",
        "seen.json",
        "--json",
      ],
    );
    expect([ran.code, jsonOf(ran)["error"]]).toMatchObject([6, { code: "policy_rollback" }]);
  });
});
