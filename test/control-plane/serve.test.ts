import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { startControlPlane } from "../support/control-plane.ts";
import { CLEAN_ENVIRONMENT, jsonOf, PROGRAM, runWaybill } from "../support/binary.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { digestOf } from "./plane.ts";
import { pinned, promote, withServer } from "./served.ts";

describe("serve", () => {
  test("reports where it listens, serves, and ends with 0 on SIGTERM and SIGINT", async () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      using folder = temporaryFolder();
      const server = await startControlPlane({ data: folder.at("data") });
      expect(server.address).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/u);
      expect(statSync(folder.at("data")).mode & 0o777).toBe(0o700);
      expect(await (await fetch(`${server.address}/readyz`)).json()).toEqual({ ok: true });
      expect(await server.stop(signal)).toBe(0);
      expect(server.stderr()).toBe("");
    }
  });

  test("without --json prints one line", async () => {
    using folder = temporaryFolder();
    const words = ["serve", "--listen", "127.0.0.1:0", "--data", "data"];
    const child = Bun.spawn([...PROGRAM, ...words], {
      cwd: folder.path,
      env: { ...CLEAN_ENVIRONMENT },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    let said = "";
    try {
      for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
        said += chunk;
        child.kill("SIGTERM");
      }
      expect([await child.exited, await child.stderr.text()]).toEqual([0, ""]);
    } finally {
      child.kill("SIGKILL");
    }
    expect(said).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+\n$/u);
  });

  test("lets a request under way finish, then ends", async () => {
    await withServer(async (server) => {
      const token = await server.token(["addons:write"]);
      const { hostname, port } = new URL(server.address);
      const socket = connect(Number(port), hostname);
      const answer = new Promise<string>((resolve, reject) => {
        let text = "";
        socket.on("data", (chunk) => (text += chunk.toString()));
        socket.on("close", () => resolve(text));
        socket.on("error", reject);
      });
      const sha256 = digestOf("hello").slice(7);
      socket.write(
        `PUT /v1/artifacts/${sha256} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n` +
          "Content-Length: 5\r\n\r\nhel",
      );
      // The upload has begun when its file is there.
      const incoming = join(server.data, "incoming");
      while (readdirSync(incoming).length === 0) await new Promise((resolve) => setImmediate(resolve));
      const ended = server.stop();
      while (
        await fetch(`${server.address}/healthz`).then(
          () => true,
          () => false,
        )
      );
      // A rotation of logs does not know that the server is going.
      process.kill(server.pid, "SIGHUP");
      socket.write("lo");
      expect(await answer).toStartWith("HTTP/1.1 201 ");
      expect(await ended).toBe(0);
    });
  });

  test("a client that goes away in the middle of an upload leaves nothing, and is no fault", async () => {
    await withServer(async (server) => {
      const token = await server.token(["admin"]);
      const { hostname, port } = new URL(server.address);
      const socket = connect(Number(port), hostname);
      socket.write(
        `PUT /v1/artifacts/${"a".repeat(64)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 9\r\n\r\nx`,
      );
      const incoming = join(server.data, "incoming");
      while (readdirSync(incoming).length === 0) await new Promise((resolve) => setImmediate(resolve));
      socket.destroy();
      while (readdirSync(incoming).length > 0) await new Promise((resolve) => setImmediate(resolve));
      expect(await server.stop()).toBe(0);
      expect(server.stderr()).toBe("");
    });
  });

  test("is alone on its data folder", async () => {
    await withServer(async (server) => {
      const ran = await runWaybill(["serve", "--listen", "127.0.0.1:0", "--data", server.data, "--json"]);
      expect(ran.code).toBe(11);
      expect(jsonOf(ran)).toMatchObject({
        schema: "waybill.serve/v1",
        ok: false,
        listening: null,
        error: { code: "lock_held" },
      });
      expect((await fetch(`${server.address}/readyz`)).status).toBe(200);
    });
  });

  test("an address in use is a usage error, and frees the folder", async () => {
    await withServer(async (server) => {
      using folder = temporaryFolder();
      const listen = new URL(server.address).host;
      const ran = await runWaybill(["serve", "--listen", listen, "--data", folder.at("d"), "--json"]);
      expect([ran.code, jsonOf(ran)]).toMatchObject([2, { error: { code: "address_in_use" } }]);
      await withServer(async () => undefined, { data: folder.at("d") });
    });
  });

  test("without TLS on all interfaces warns loudly", async () => {
    const server = await startControlPlane({ listen: "0.0.0.0:0" });
    expect(await server.stop()).toBe(0);
    expect(server.stderr()).toStartWith("warning: LISTENING WITHOUT TLS ON 0.0.0.0:0: ");
  });

  test("with --verbose writes a line for each request, without the token", async () => {
    const server = await startControlPlane({ args: ["--verbose"] });
    const token = await server.token(["pins:read"]);
    await pinned(server, token);
    await server.stop();
    const line = JSON.parse(server.stderr().replace(/^debug: /u, ""));
    expect(line).toMatchObject({ method: "GET", path: "/cp/admin/runtime-image", status: 200 });
    expect(server.stderr()).not.toContain(token.slice(3));
  });

  const usage: readonly (readonly [string, readonly string[], string])[] = [
    ["a broken address", ["--listen", "7070"], "invalid_value"],
    ["a certificate without its key", ["--tls-cert", "x"], "flag_missing"],
    ["a certificate that is not there", ["--tls-cert", "x", "--tls-key", "y"], "file_unreadable"],
    ["a data folder that is a file", ["--data", "/dev/null"], "data_dir_invalid"],
    ["a data folder that everybody can write", ["--data", "/tmp"], "data_dir_invalid"],
  ];
  for (const [name, flags, code] of usage) {
    test(`${name} is ${code}`, async () => {
      using folder = temporaryFolder();
      const data = flags.includes("--data") ? [] : ["--data", folder.at("d")];
      const ran = await runWaybill(["serve", ...flags, ...data, "--json"], { cwd: folder.path });
      expect([ran.code, jsonOf(ran)]).toMatchObject([2, { error: { code } }]);
    });
  }

  test("a socket in no folder is said to have none", async () => {
    using folder = temporaryFolder();
    const listen = `unix:${folder.at("none/s")}`;
    const ran = await runWaybill(["serve", "--listen", listen, "--data", folder.at("d"), "--json"]);
    const message = `--listen: ${listen} cannot be listened on: its folder does not exist`;
    expect([ran.code, jsonOf(ran)]).toMatchObject([2, { error: { code: "invalid_value", message } }]);
  });

  test("files that are no certificate are refused", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("x.pem"), "hello");
    const tls = ["--tls-cert", folder.at("x.pem"), "--tls-key", folder.at("x.pem")];
    const ran = await runWaybill([
      "serve",
      "--listen",
      "127.0.0.1:0",
      "--data",
      folder.at("d"),
      ...tls,
      "--json",
    ]);
    expect([ran.code, jsonOf(ran)]).toMatchObject([2, { error: { code: "config_invalid" } }]);
  });
});

describe("a unix socket", () => {
  test("is served, closed to others, and gone after SIGTERM", async () => {
    using folder = temporaryFolder();
    const path = folder.at("s.sock");
    const server = await startControlPlane({ listen: `unix:${path}` });
    expect(server.address).toBe(`unix:${path}`);
    expect(statSync(path).mode & 0o777).toBe(0o660);
    expect((await fetch("http://localhost/readyz", { unix: path })).status).toBe(200);
    expect(await server.stop()).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  test("left by a killed server is taken over; one that answers, or a file, is not", async () => {
    using folder = temporaryFolder();
    const path = folder.at("s.sock");
    await (await startControlPlane({ listen: `unix:${path}` })).stop("SIGKILL");
    expect(existsSync(path)).toBe(true);
    await withServer(
      async () => {
        const ran = await runWaybill([
          "serve",
          "--listen",
          `unix:${path}`,
          "--data",
          folder.at("d"),
          "--json",
        ]);
        expect([ran.code, jsonOf(ran)]).toMatchObject([2, { error: { code: "address_in_use" } }]);
        expect((await fetch("http://localhost/readyz", { unix: path })).status).toBe(200);
      },
      { listen: `unix:${path}` },
    );
    writeFileSync(folder.at("file"), "precious");
    const ran = await runWaybill([
      "serve",
      "--listen",
      `unix:${folder.at("file")}`,
      "--data",
      folder.at("d"),
      "--json",
    ]);
    expect([ran.code, jsonOf(ran)]).toMatchObject([2, { error: { code: "address_in_use" } }]);
    expect(await Bun.file(folder.at("file")).text()).toBe("precious");
  });
});

describe("tokens", () => {
  test("are made, listed and revoked while the server runs", async () => {
    await withServer(async (server) => {
      const flags = ["--data", server.data, "--json"];
      const made = jsonOf(
        await runWaybill([
          "token",
          "new",
          "--scope",
          "pins:read,pins:write",
          "--scope",
          "pins:read",
          "--env",
          "prod",
          "--name",
          "ci",
          ...flags,
        ]),
      );
      const [token, id] = [String(made["token"]), String(made["id"])];
      expect(made).toMatchObject({
        schema: "waybill.token-new/v1",
        ok: true,
        token: expect.stringMatching(/^wb_[A-Za-z0-9_-]{43}$/u),
        id: expect.stringMatching(/^[0-9a-f]{8}$/u),
        scopes: ["pins:read", "pins:write"],
        env: "prod",
        expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/u),
      });
      expect((await promote(server, token, "codex")).status).toBe(200);
      const list = await runWaybill(["token", "list", ...flags]);
      expect(jsonOf(list)).toMatchObject({
        tokens: [{ id, name: "ci", env: "prod", state: "valid", revoked_at: null }],
      });
      expect(list.stdout).not.toContain(token.slice(3));
      expect((await runWaybill(["token", "revoke", id, "--data", server.data])).stdout).toBe(
        `revoked ${id}\n`,
      );
      expect((await promote(server, token, "codex")).status).toBe(401);
      expect(jsonOf(await runWaybill(["token", "list", ...flags]))).toMatchObject({
        tokens: [{ id, state: "revoked" }],
      });
      const again = jsonOf(await runWaybill(["token", "revoke", id, ...flags]));
      expect(again).toMatchObject({ ok: true, id });
      const none = await runWaybill(["token", "revoke", "00000000", ...flags]);
      expect([none.code, jsonOf(none)]).toMatchObject([7, { error: { code: "not_found" } }]);
    });
  });

  test("are printed alone on standard output, and live 90 days or for ever", async () => {
    using folder = temporaryFolder();
    const data = folder.at("d");
    const ran = await runWaybill(["token", "new", "--data", data, "--scope", "admin"]);
    expect(ran.stdout).toMatch(/^wb_[A-Za-z0-9_-]{43}\n$/u);
    expect(ran.stderr).not.toContain(ran.stdout.trim());
    await runWaybill(["token", "new", "--data", data, "--scope", "admin", "--expires", "never"]);
    const { tokens } = jsonOf(await runWaybill(["token", "list", "--data", data, "--json"])) as {
      tokens: { created_at: string; expires_at: string | null }[];
    };
    const days = tokens.map((one) =>
      one.expires_at === null ? null : (Date.parse(one.expires_at) - Date.parse(one.created_at)) / 86_400_000,
    );
    expect(new Set(days)).toEqual(new Set([90, null]));
  });

  const refused: readonly (readonly [string, readonly string[], string])[] = [
    ["no scope", ["token", "new"], "flag_missing"],
    ["an unknown scope", ["token", "new", "--scope", "root"], "invalid_value"],
    ["a bad environment", ["token", "new", "--scope", "admin", "--env", "Prod"], "invalid_value"],
    ["a bad lifetime", ["token", "new", "--scope", "admin", "--expires", "90"], "invalid_value"],
    ["a name with a line break", ["token", "new", "--scope", "admin", "--name", "a\nb"], "invalid_value"],
    ["a list of nothing", ["token", "list"], "data_dir_invalid"],
    ["a revocation in nothing", ["token", "revoke", "00000000"], "data_dir_invalid"],
  ];
  for (const [name, args, code] of refused) {
    test(`${name} is ${code} and makes no folder`, async () => {
      using folder = temporaryFolder();
      const ran = await runWaybill([...args, "--data", folder.at("d"), "--json"]);
      expect([ran.code, jsonOf(ran)]).toMatchObject([2, { error: { code } }]);
      expect(existsSync(folder.at("d"))).toBe(false);
    });
  }
});
