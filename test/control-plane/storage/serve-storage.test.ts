import { describe, expect, test } from "bun:test";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { CLEAN_ENVIRONMENT, jsonOf, runWaybill } from "../../support/binary.ts";
import { startControlPlane } from "../../support/control-plane.ts";
import { emptyDatabase } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { pinned, promote, withServer } from "../served.ts";

describe("durability", () => {
  test("what a crash left of an upload is cleared at the next start", async () => {
    using folder = temporaryFolder();
    const data = folder.at("data");
    await (await startControlPlane({ data })).stop("SIGKILL");
    writeFileSync(join(data, "incoming", "leftover"), "x");
    await withServer(async () => expect(readdirSync(join(data, "incoming"))).toEqual([]), { data });
  });
});

describe("a PostgreSQL database", () => {
  test("is served by two servers, which see each other's writes at once", async () => {
    await using empty = await emptyDatabase();
    const servers = [
      await startControlPlane({ database: empty.url }),
      await startControlPlane({ database: empty.url }),
    ] as const;
    const token = await servers[0].token(["pins:read", "pins:write"]);
    for (let at = 0; at < 10; at++) {
      const [writer, reader] = at % 2 === 0 ? servers : [servers[1], servers[0]];
      expect((await promote(writer, token, `template-${at}`)).status).toBe(200);
      expect(await pinned(reader, token)).toContain(`template-${at}`);
    }
    for (const server of servers) {
      expect(await server.stop()).toBe(0);
      expect(server.stderr()).toBe("");
    }
  });

  const password = "hunter2secret";
  const address = `postgres://waybill:${password}@127.0.0.1:1/cp`;
  const cases: readonly (readonly [string, readonly string[], number, string])[] = [
    ["on the command line", ["--database", address], 2, "invalid_value"],
    ["in a variable", ["--database-env", "DB"], 13, "storage_failed"],
    ["in a file", ["--database-file", "db"], 13, "storage_failed"],
    ["in a variable, with a bare percent sign", ["--database-env", "ODD"], 2, "invalid_value"],
    ["in two places", ["--database-env", "DB", "--database-file", "db"], 2, "flags_contradict"],
  ];
  for (const [where, flags, code, failure] of cases) {
    test(`whose password is ${where} ends with ${failure}, and never shows it`, async () => {
      using folder = temporaryFolder();
      writeFileSync(folder.at("db"), `${address}\n`);
      const ran = await runWaybill(
        ["serve", "--listen", "127.0.0.1:0", "--data", folder.at("d"), ...flags, "--json"],
        {
          cwd: folder.path,
          env: { ...CLEAN_ENVIRONMENT, DB: address, ODD: address.replace(password, `${password}%`) },
        },
      );
      expect([ran.code, jsonOf(ran)]).toMatchObject([code, { error: { code: failure } }]);
      expect(ran.stdout + ran.stderr).not.toContain(password);
    });
  }
});

describe("a backup", () => {
  test("of a server that is being written to is a database of one moment", async () => {
    await withServer(async (server) => {
      using folder = temporaryFolder();
      const token = await server.token(["pins:read", "pins:write"]);
      for (const name of ["before", "template-0"]) await promote(server, token, name);
      const done = new AbortController();
      const writing = (async () => {
        for (let at = 1; !done.signal.aborted; at++) await promote(server, token, `template-${at}`);
      })();
      const file = folder.at("copy.sqlite");
      const ran = await runWaybill(["serve", "--data", server.data, "--backup", file, "--json"]);
      done.abort();
      await writing;
      expect(jsonOf(ran)).toMatchObject({ ok: true, backup: file, listening: null });
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(readdirSync(folder.path)).toEqual(["copy.sqlite"]);
      const data = folder.at("restored");
      mkdirSync(data);
      copyFileSync(file, join(data, "control-plane.sqlite"));
      await withServer(
        async (restored) => {
          const names = await pinned(restored, token);
          expect(names).toEqual(expect.arrayContaining(["before", "template-0"]));
          const numbers = names.filter((name) => name !== "before").map((name) => Number(name.slice(9)));
          // None of a later moment without those before it.
          expect(numbers.sort((a, b) => a - b)).toEqual(numbers.map((_, at) => at));
        },
        { data },
      );
      const again = await runWaybill(["serve", "--data", server.data, "--backup", file, "--json"]);
      expect([again.code, jsonOf(again)]).toMatchObject([2, { error: { code: "file_exists" } }]);
    });
  });

  test("replaces nothing, whatever leads to it or is named like it", async () => {
    using folder = temporaryFolder();
    await runWaybill(["token", "new", "--data", folder.at("data"), "--scope", "admin"]);
    const backUp = async (to: string): Promise<unknown> => {
      const ran = await runWaybill([
        "serve",
        "--data",
        folder.at("data"),
        "--backup",
        folder.at(to),
        "--json",
      ]);
      return jsonOf(ran)["error"] ?? null;
    };
    symlinkSync(folder.at("nowhere"), folder.at("link"));
    expect(await backUp("link")).toMatchObject({ code: "file_exists" });
    expect(readlinkSync(folder.at("link"))).toBe(folder.at("nowhere"));
    writeFileSync(folder.at("copy.partial"), "somebody's");
    expect(await backUp("copy")).toBeNull();
    expect(await backUp("copy")).toMatchObject({ code: "file_exists" });
    expect(await backUp("none/copy")).toMatchObject({
      code: "output_not_written",
      message: expect.stringContaining("its folder does not exist"),
    });
    expect(await backUp("copy/copy")).toMatchObject({
      code: "output_not_written",
      message: expect.stringContaining("a part of its path is not a directory"),
    });
    expect(readdirSync(folder.path).sort()).toEqual(["copy", "copy.partial", "data", "link"]);
  });

  test("of nothing is refused and leaves nothing", async () => {
    using folder = temporaryFolder();
    const ran = await runWaybill(["serve", "--data", folder.path, "--backup", folder.at("x"), "--json"]);
    const message = `there is no database in "${folder.path}"`;
    expect([ran.code, jsonOf(ran)]).toMatchObject([7, { error: { code: "not_found", message } }]);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("is of the server that the file of --config describes", async () => {
    using folder = temporaryFolder();
    const made = await runWaybill(["token", "new", "--data", folder.at("data"), "--scope", "admin"]);
    writeFileSync(folder.at("serve.json"), JSON.stringify({ data: "data" }));
    const words = [
      "serve",
      "--config",
      folder.at("serve.json"),
      "--backup",
      folder.at("copy.sqlite"),
      "--json",
    ];
    const ran = await runWaybill(words);
    expect([made.code, ran.code, jsonOf(ran)["backup"]]).toEqual([0, 0, folder.at("copy.sqlite")]);
    writeFileSync(folder.at("serve.json"), JSON.stringify({ database: "postgres://u@127.0.0.1/x" }));
    const refused = await runWaybill(words);
    expect([refused.code, jsonOf(refused)]).toMatchObject([2, { error: { code: "flags_contradict" } }]);
  });
});
