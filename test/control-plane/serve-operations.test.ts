import { connect as tlsConnect } from "node:tls";
import { connect } from "node:net";
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { sha256Of } from "../../src/base/hashing.ts";
import { makeCertificates } from "../support/certificates.ts";
import { CLEAN_ENVIRONMENT, jsonOf, PROGRAM, runProgram, runWaybill } from "../support/binary.ts";
import { startControlPlane } from "../support/control-plane.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { pinned, promote, withServer } from "./served.ts";

describe("metrics", () => {
  test("count requests by route and status, and name nothing that was asked for", async () => {
    await withServer(async (server) => {
      const token = await server.token(["pins:write", "pins:read", "metrics:read"]);
      await promote(server, token, "codex");
      await fetch(`${server.address}/secret-name`);
      await fetch(`${server.address}/v5/builds`);
      const headers = { authorization: `Bearer ${token}` };
      const text = await (await fetch(`${server.address}/metrics`, { headers })).text();
      const name = "waybill_http_request_duration_seconds";
      expect(text).toContain(`${name}_count{route="POST /cp/admin/runtime-image/promote",status="200"} 1\n`);
      expect(text).toContain(`${name}_count{route="none",status="404"} 1\n`);
      expect(text).toContain(`waybill_denials_total{code="unauthorized"} 1\n`);
      expect(text).toMatch(/^process_resident_memory_bytes [1-9]\d+$/mu);
      expect(text).not.toContain("secret-name");
      expect(text).not.toContain("codex");
      for (const line of text.trimEnd().split("\n")) {
        expect(line).toMatch(
          /^(?:# TYPE [a-z_]+ [a-z]+|[a-z_]+(?:\{[a-z]+="[^"\\]*"(?:,[a-z]+="[^"\\]*")*\})? [0-9.e+-]+)$/u,
        );
      }
    });
  });

  test("are not for everybody", async () => {
    await withServer(async (server) => {
      expect((await fetch(`${server.address}/metrics`)).status).toBe(401);
    });
  });
});

describe("SIGHUP", () => {
  test.each(["a port", "a unix socket"])(
    "takes the new certificate for new connections to %s, while old ones go on, and the next log file",
    async (kind) => {
      using folder = temporaryFolder();
      const made = makeCertificates(folder);
      const pair = (name: "server" | "foreign"): string[] => {
        const { cert, key } = made[name];
        writeFileSync(folder.at("cert.pem"), cert);
        writeFileSync(folder.at("key.pem"), key);
        return ["--tls-cert", folder.at("cert.pem"), "--tls-key", folder.at("key.pem")];
      };
      const path = folder.at("socket");
      // Names beside it are somebody else's.
      writeFileSync(`${path}.next`, "somebody's");
      const args = [...pair("server"), "--access-log", folder.at("log")];
      const listen = kind === "a port" ? "127.0.0.1:0" : `unix:${path}`;
      const server = await startControlPlane({ args, listen });
      try {
        const place = kind === "a port" ? Number(new URL(server.address).port) : path;
        const first = await subject(place);
        expect(first.name).toBe("server");
        pair("foreign");
        renameSync(folder.at("log"), folder.at("log.1"));
        process.kill(server.pid, "SIGHUP");
        await server.told("reloaded");
        const now = await subject(place);
        expect(now.name).toBe("foreign");
        expect(await first.get("/healthz")).toContain("HTTP/1.1 200 OK");
        expect(await now.get("/healthz")).toContain("HTTP/1.1 200 OK");
        writeFileSync(folder.at("cert.pem"), "junk");
        process.kill(server.pid, "SIGHUP");
        await server.told("not reloaded: ");
        const after = await subject(place);
        expect(after.name).toBe("foreign");
        for (const one of [first, now, after]) one.end();
        const lines = readFileSync(folder.at("log"), "utf8").trimEnd().split("\n");
        expect(lines.map((line) => JSON.parse(line))).toMatchObject([
          { path: "/healthz" },
          { path: "/healthz" },
        ]);
      } finally {
        expect(await server.stop()).toBe(0);
      }
    },
  );
});

type Peer = {
  readonly name: string;
  readonly get: (path: string) => Promise<string>;
  readonly end: () => void;
};

/** A TLS connection that stays open, with the name in the server's certificate. */
function subject(place: number | string): Promise<Peer> {
  return new Promise((resolve, reject) => {
    const where = typeof place === "string" ? { path: place } : { port: place, host: "127.0.0.1" };
    const socket = tlsConnect({ ...where, rejectUnauthorized: false }, () => {
      resolve({
        name: String(socket.getPeerCertificate().subject.CN),
        get: (path) =>
          new Promise((answered) => {
            socket.once("data", (chunk) => answered(chunk.toString()));
            socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
          }),
        end: () => socket.destroy(),
      });
    });
    socket.on("error", reject);
  });
}

/** What systemd does, by the smallest means: listen, then become the server with the socket as descriptor 3. */
const ACTIVATE = `
import os, socket, sys
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(16)
print(s.getsockname()[1], flush=True)
sys.stdin.readline()
os.dup2(s.fileno(), 3); os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[1], sys.argv[1:])`;

/** Prints the port; becomes the server with the first line of its standard input. */
function activated(data: string): Bun.Subprocess<"pipe", "pipe", "pipe"> {
  const words = ["serve", "--listen", "systemd", "--data", data, "--json"];
  return Bun.spawn(["python3", "-c", ACTIVATE, ...PROGRAM, ...words], {
    env: { ...CLEAN_ENVIRONMENT },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** Resolves when nobody listens there any more. */
function refused(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.destroy());
    socket.on("error", () => resolve());
    socket.on("close", (hadError) => {
      if (!hadError) setImmediate(() => void refused(port).then(resolve));
    });
  });
}

describe("a socket of systemd", () => {
  test("is served: the first connection came before the server did", async () => {
    using folder = temporaryFolder();
    const child = activated(folder.at("d"));
    const output = child.stdout.getReader();
    const port = Number(new TextDecoder().decode((await output.read()).value));
    const answer = new Promise<string>((resolve, reject) => {
      let text = "";
      const socket = connect(port, "127.0.0.1", () => {
        socket.write("GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        void child.stdin.write("\n");
        void child.stdin.flush();
      });
      socket.on("data", (chunk) => (text += chunk.toString()));
      socket.on("close", () => resolve(text));
      socket.on("error", reject);
    });
    expect(await answer).toMatch(/^HTTP\/1\.1 200 OK[^]*\{"ok":true\}/u);
    const line = JSON.parse(new TextDecoder().decode((await output.read()).value));
    expect(line).toMatchObject({ ok: true, listening: "systemd" });
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  });

  test("gives whoever is being answered the whole answer when the server is told to stop", async () => {
    using folder = temporaryFolder();
    const data = folder.at("d");
    const words = ["token", "new", "--data", data, "--scope", "addons:write", "--quiet"];
    const token = (await runWaybill(words)).stdout.trim();
    const child = activated(data);
    const output = child.stdout.getReader();
    const read = async (): Promise<string> => new TextDecoder().decode((await output.read()).value);
    const port = Number(await read());
    void child.stdin.write("\n");
    void child.stdin.flush();
    expect(JSON.parse(await read())).toMatchObject({ ok: true, listening: "systemd" });
    const bytes = "0123456789".repeat(1_000);
    const path = `/v1/artifacts/${sha256Of(bytes)}`;
    let text = "";
    const socket = connect(port, "127.0.0.1");
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.write(
      `PUT ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${bytes.length}\r\n\r\n0`,
    );
    // The upload has begun when its file is there, beside the socket to which it is passed on.
    while (readdirSync(join(data, "incoming")).length < 2) await new Promise((done) => setImmediate(done));
    child.kill("SIGTERM");
    await refused(port);
    socket.write(bytes.slice(1));
    await closed;
    expect(text).toStartWith("HTTP/1.1 201 ");
    expect(await child.exited).toBe(0);
  });

  test("that is none is refused, and nothing stays behind", async () => {
    using folder = temporaryFolder();
    const script = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@" 3</dev/null';
    const serve = ["serve", "--listen", "systemd", "--data", folder.at("d"), "--json"];
    const ran = await runProgram(["sh", "-c", script, "sh", ...PROGRAM, ...serve], { cwd: folder.path });
    expect([ran.code, jsonOf(ran)]).toMatchObject([2, { error: { code: "invalid_value" } }]);
    await withServer(async () => undefined, { data: folder.at("d") });
  });

  test("that was not handed to this process is refused", async () => {
    using folder = temporaryFolder();
    const ran = await runWaybill(["serve", "--listen", "systemd", "--data", folder.at("d"), "--json"], {
      env: { ...CLEAN_ENVIRONMENT, LISTEN_PID: "1", LISTEN_FDS: "1" },
    });
    expect([ran.code, jsonOf(ran)]).toMatchObject([2, { error: { code: "invalid_value" } }]);
  });
});

describe("a configuration file", () => {
  test("says what flags say, relative to itself; a flag wins", async () => {
    using folder = temporaryFolder();
    const config = {
      listen: "127.0.0.1:1",
      data: "d",
      access_log: "log",
      token_rate: { per_second: 1, burst: 2 },
    };
    writeFileSync(folder.at("serve.json"), JSON.stringify(config));
    const server = await startControlPlane({
      data: folder.at("d"),
      args: ["--config", folder.at("serve.json")],
    });
    try {
      const token = await server.token(["pins:read"]);
      await pinned(server, token);
      await pinned(server, token);
      const headers = { authorization: `Bearer ${token}` };
      expect((await fetch(`${server.address}/cp/admin/runtime-image`, { headers })).status).toBe(429);
      const lines = readFileSync(folder.at("log"), "utf8").trimEnd().split("\n");
      expect(lines.map((line) => JSON.parse(line).status)).toEqual([200, 200, 429]);
      expect(lines.join("")).not.toContain(token.slice(3));
    } finally {
      expect(await server.stop()).toBe(0);
    }
  });

  test("names a unix socket relative to itself as well", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("serve.json"), '{"listen":"unix:none/s","data":"d"}');
    const ran = await runWaybill(["serve", "--config", folder.at("serve.json"), "--json"], { cwd: "/" });
    const message = expect.stringContaining(`unix:${folder.at("none/s")} `);
    expect([ran.code, jsonOf(ran)]).toMatchObject([2, { error: { message } }]);
  });

  const wrong: readonly (readonly [string, string])[] = [
    ["an unknown member", '{"listne":"x"}'],
    ["a number for a text", '{"listen":7070}'],
    ["no rate at all", '{"token_rate":{"per_second":0,"burst":1}}'],
    ["a member twice", '{"data":"a","data":"b"}'],
  ];
  for (const [name, text] of wrong) {
    test(`with ${name} is refused`, async () => {
      using folder = temporaryFolder();
      writeFileSync(folder.at("serve.json"), text);
      const ran = await runWaybill(["serve", "--config", "serve.json", "--json"], { cwd: folder.path });
      expect([ran.code, jsonOf(ran)]).toMatchObject([2, { error: { code: "config_invalid" } }]);
    });
  }
});
