import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { startControlPlane } from "../support/control-plane.ts";
import { temporaryFolder } from "../support/temporary.ts";

/** Binds the name, says so, and then says each message that comes, in JSON. */
const RECEIVER = `
import json, socket, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\\0" + name[1:] if name[0] == "@" else name)
print(json.dumps("bound"), flush=True)
while True: print(json.dumps(s.recv(4096).decode()), flush=True)
`;

/** What is told to a socket of this name, one message after the other. */
async function receiving(name: string, work: (next: () => Promise<string>) => Promise<void>): Promise<void> {
  const child = Bun.spawn(["python3", "-c", RECEIVER, name], { stdin: "ignore", stdout: "pipe" });
  const chunks = child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  let said = "";
  const next = async (): Promise<string> => {
    while (!said.includes("\n")) {
      const { value, done } = await chunks.next();
      if (done === true) throw new Error("nobody listens any more");
      said += value;
    }
    const [line = "", ...rest] = said.split("\n");
    said = rest.join("\n");
    return JSON.parse(line) as string;
  };
  try {
    expect(await next()).toBe("bound");
    await work(next);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

describe("a service manager is told", () => {
  test.each(["a file", "a name of no file"])(
    "at %s when the server listens, reloads and ends",
    async (kind) => {
      using folder = temporaryFolder();
      const name = kind === "a file" ? folder.at("notify") : `@waybill-${randomBytes(8).toString("hex")}`;
      await receiving(name, async (next) => {
        const starting = startControlPlane({ env: { NOTIFY_SOCKET: name } });
        expect(await next()).toBe("READY=1");
        const server = await starting;
        try {
          expect((await fetch(`${server.address}/healthz`)).status).toBe(200);
          process.kill(server.pid, "SIGHUP");
          const [state, since] = (await next()).split("\n");
          expect([state, since]).toEqual([
            "RELOADING=1",
            expect.stringMatching(/^MONOTONIC_USEC=[1-9]\d{6,}$/u),
          ]);
          expect(await next()).toBe("READY=1");
          expect(await server.told("reloaded")).not.toContain("not reloaded");
        } finally {
          expect(await server.stop()).toBe(0);
        }
        expect(await next()).toBe("STOPPING=1");
      });
    },
  );

  test.each([
    ["/nowhere/notify", "nobody takes it there"],
    [`/${"n".repeat(107)}`, "no address of a unix socket"],
    ["vsock:2:1234", "no address of a unix socket"],
    ["@", "no address of a unix socket"],
  ])("and one at %s, that cannot be, keeps no server from serving", async (name, why) => {
    const server = await startControlPlane({ env: { NOTIFY_SOCKET: name } });
    try {
      expect((await fetch(`${server.address}/healthz`)).status).toBe(200);
      await server.told(why);
    } finally {
      expect(await server.stop()).toBe(0);
    }
  });
});
