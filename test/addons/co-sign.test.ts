import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createKeyFile } from "../../src/trust/key-file.ts";
import { jsonOf, runWaybill } from "../support/binary.ts";
import { startControlPlane, type ControlPlaneProcess } from "../support/control-plane.ts";
import { Host } from "./host.ts";

let plane: ControlPlaneProcess;
let token: string;

beforeAll(async () => {
  plane = await startControlPlane();
  token = await plane.token(["addons:write", "addons:read"]);
});
afterAll(() => plane.stop());

type Ended = { exit: number; document: Record<string, unknown> };

/** The home of a host with a program and the keys of three people, of whom a trust root wants two to sign. */
async function withTeam(
  work: (host: Host, publish: (...flags: string[]) => Promise<Ended>) => Promise<void>,
) {
  using host = new Host();
  const waybill = async (...words: string[]): Promise<Ended> => {
    const ran = await runWaybill([...words, "--json"], { cwd: host.home, env: { T: token } });
    return { exit: ran.code, document: jsonOf(ran) };
  };
  const trust = (...words: string[]): Promise<Ended> =>
    waybill("key", "trust", ...words, "--key", "root.key");
  for (const name of ["root", "alice", "bob", "carol"]) createKeyFile(join(host.home, `${name}.key`));
  expect((await trust("init", "trust.json")).exit).toBe(0);
  for (const name of ["alice", "bob"]) {
    const key = ["--name", name, "--public-key", `${name}.key.pub`, "--role", "addon"];
    expect((await trust("add", "trust.json", ...key, "--threshold", "addon=2")).exit).toBe(0);
  }
  writeFileSync(join(host.home, "program"), "#!/bin/sh\necho one\n");
  const there = ["--url", plane.address, "--allow-insecure-http", "--token-env", "T"];
  await work(host, (...flags) => waybill("addon", "publish", "program", ...there, ...flags));
}

/** What a host of the plane makes of what is assigned to all: the first add-on's outcome or refusal. */
async function staged(host: Host): Promise<string | undefined> {
  const from = [`${plane.address}/v1/addons/assignments`, "--token-env", "T"];
  const store = [
    "--store",
    `${plane.address}/v1/artifacts`,
    "--store-token-env",
    "T",
    "--allow-insecure-http",
  ];
  const trust = ["--no-key", "--trust", "trust.json", "--retry-now"];
  const { document } = await host.stage(["--assignments", ...from, ...store, ...trust], { T: token });
  const found = document.addons.find(({ addon_id }) => host.home.endsWith(addon_id.slice(-6)));
  return found?.error?.code ?? found?.outcome;
}

/** An id of this host alone: the plane is shared by the tests. */
function idOf(host: Host): string {
  return `team-${host.home.slice(-6)}`;
}

test("what two keys sign at once is staged where two have to sign", async () => {
  await withTeam(async (host, publish) => {
    const what = ["--id", idOf(host), "--version", "1.0.0"];
    const { exit, document } = await publish(...what, "--key", "alice.key", "--key", "bob.key", "--assign");
    expect(exit).toBe(0);
    expect(document["keyids"]).toHaveLength(2);
    expect(await staged(host)).toBe("staged");
  });
});

test("somebody else adds a signature later, over the very bytes, and changes nothing else", async () => {
  await withTeam(async (host, publish) => {
    const what = ["--id", idOf(host), "--version", "1.0.0"];
    const first = ["--key", "alice.key", "--assign", "--expires", "90d", "--minimum-version", "0.9"];
    const published = await publish(...what, ...first);
    expect(published.exit).toBe(0);
    expect(await staged(host)).toBe("threshold_not_met");
    const { exit, document } = await publish(...what, "--key", "bob.key", "--add-signature");
    expect([exit, document]).toMatchObject([
      0,
      {
        outcome: "signed",
        signatures: 2,
        expires: published.document["expires"],
        minimum_version: "0.9",
        signature: published.document["signature"],
        digest: published.document["digest"],
      },
    ]);
    expect(await staged(host)).toBe("staged");
    // The same key again is no third signature.
    expect((await publish(...what, "--key", "bob.key", "--add-signature")).document).toMatchObject({
      signatures: 2,
    });
  });
});

test("a signature is added to nothing that the signer has not in hand, nor with other claims", async () => {
  await withTeam(async (host, publish) => {
    const what = ["--id", idOf(host), "--version", "1.0.0"];
    const add = (...flags: string[]): Promise<Ended> => publish(...what, "--add-signature", ...flags);
    const code = async (ran: Promise<Ended>): Promise<[number, unknown]> => {
      const { exit, document } = await ran;
      return [exit, (document["error"] as { code: string } | undefined)?.code];
    };
    expect(await code(add("--key", "bob.key"))).toEqual([7, "not_found"]);
    expect((await publish(...what, "--key", "alice.key")).exit).toBe(0);
    expect(await code(add())).toEqual([2, "flag_missing"]);
    expect(await code(add("--key", "bob.key", "--expires", "5d"))).toEqual([2, "flags_contradict"]);
    expect(await code(publish(...what, "--key", "bob.key", "--key", "bob.key"))).toEqual([
      2,
      "flags_contradict",
    ]);
    writeFileSync(join(host.home, "program"), "#!/bin/sh\necho two\n");
    expect(await code(add("--key", "bob.key"))).toEqual([6, "hash_mismatch"]);
    // Without a statement there is nothing to sign.
    const bare = ["--id", idOf(host), "--version", "2.0.0"];
    expect((await publish(...bare)).exit).toBe(0);
    expect(await code(publish(...bare, "--key", "bob.key", "--add-signature"))).toEqual([7, "not_found"]);
  });
});

test("what a server says it published is quoted, and does nothing to a terminal or a log", async () => {
  using host = new Host();
  const artifact = { sha256: "\u001b[31mred\n::error::x::", signature: "s", statement: "x" };
  const published = { addon_id: "a", version: "1", artifacts: { "linux/amd64": artifact } };
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => Response.json({ packages: [published] }),
  });
  writeFileSync(join(host.home, "program"), "#!/bin/sh\n");
  const where = ["--url", `http://127.0.0.1:${server.port}`, "--allow-insecure-http", "--token-env", "TOKEN"];
  const what = ["--id", "a", "--version", "1", "--platform", "linux/amd64", "--key-env", "KEY"];
  const { code, stderr } = await runWaybill(
    ["addon", "publish", "program", ...what, ...where, "--add-signature"],
    { cwd: host.home, env: { TOKEN: "a-token", KEY: host.privateKey } },
  );
  expect(code).toBe(6);
  expect(stderr).toContain("is published with sha256");
  expect(stderr.replaceAll("\n", "")).not.toMatch(/\p{Cc}|::error::/u);
});
