import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { Objm } from "@nats-io/obj";
import { connect, credsAuthenticator } from "@nats-io/transport-node";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { chooseStore, type StoreChoice } from "../../src/stores/choose.ts";
import { sourcesOf } from "../../src/stores/sources.ts";
import type { Resume } from "../../src/stores/store.ts";
import { CAN_MAKE_CERTIFICATES, makeCertificates, type Certificates } from "../support/certificates.ts";
import { freePort, listens, startDaemon, type Daemon } from "../support/programs.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";
import { NatsAccounts } from "./nats-accounts.ts";
import { bytesOf, choiceWith, codeOf, downloadOf, reading } from "./reading.ts";

const HAS_NATS = Bun.which("nats-server") !== null && CAN_MAKE_CERTIFICATES;
const BYTES = randomBytes(3_000_000);
const OTHER = randomBytes(1_000);

type Server = { readonly daemon: Daemon; readonly port: number };

async function startNats(folder: TemporaryFolder, more: readonly string[] = []): Promise<Server> {
  const port = await freePort();
  const data = ["-sd", folder.at(`jetstream-${port}`)];
  const words = ["nats-server", "-js", "-a", "127.0.0.1", "-p", String(port), ...data, ...more];
  return { daemon: await startDaemon(words, () => listens(port)), port };
}

async function fill(port: number, options: object = {}, bytes: Uint8Array = BYTES): Promise<void> {
  const connection = await connect({ servers: `127.0.0.1:${port}`, reconnect: false, ...options });
  const bucket = await new Objm(connection).create("addons");
  const put = (name: string, bytes: Uint8Array): Promise<unknown> =>
    bucket.putBlob({ name }, new Uint8Array(bytes));
  await put("app/1.0", bytes);
  await put("app/other", OTHER);
  await put("app/empty", new Uint8Array());
  await put("app/gone", OTHER);
  await bucket.delete("app/gone");
  const info = await bucket.info("app/1.0");
  if (info === null) throw new Error("nothing was put");
  await bucket.link("app/link", info);
  await connection.close();
}

describe.skipIf(!HAS_NATS)("a real NATS server", () => {
  let folder: TemporaryFolder;
  let open: Server;
  let guarded: Server;
  let secure: Server;
  let certificates: Certificates;

  beforeAll(async () => {
    folder = temporaryFolder();
    certificates = makeCertificates(folder);
    const tls = ["--tls", "--tlscert", folder.at("server.pem"), "--tlskey", folder.at("server.key")];
    [open, guarded, secure] = await Promise.all([
      startNats(folder),
      startNats(folder, ["--auth", "token-number-1"]),
      startNats(folder, tls),
    ]);
    await Promise.all([
      fill(open.port),
      fill(guarded.port, { token: "token-number-1" }),
      fill(secure.port, { tls: { ca: certificates.ca } }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([open, guarded, secure].map((server) => server.daemon.stop()));
    folder[Symbol.dispose]();
  });

  async function fetched(
    key: string,
    port: number,
    wanted: Uint8Array = BYTES,
    choice: Partial<StoreChoice> = {},
    token?: string,
    place = "addons",
  ): Promise<void> {
    const full = choiceWith(choice);
    const stores = [chooseStore(`nats://127.0.0.1:${port}/${place}`, token, full)];
    const path = folder.at(`part-${randomBytes(4).toString("hex")}`);
    const sources = sourcesOf({ key, downloadUrl: "", downloadToken: "" }, stores, full);
    await downloadOf(wanted, sources, path, { retryBudgetMs: 0 });
    expect(readFileSync(path).equals(Buffer.from(wanted))).toBe(true);
  }

  test("gives an object", async () => {
    await fetched("app/1.0", open.port);
    await fetched("1.0", open.port, BYTES, {}, undefined, "addons/app");
    await fetched(`nats://127.0.0.1:${open.port}/addons/app/other`, open.port, OTHER);
    await fetched("app/empty", open.port, new Uint8Array());
  });

  const refused: [string, string, string][] = [
    ["an object that is not there", "app/2.0", "not_found"],
    ["the mark of a deleted object", "app/gone", "not_found"],
    ["a link", "app/link", "answer_unexpected"],
    ["other bytes", "app/other", "hash_mismatch"],
    ["a key that leads out", "../x", "unsafe_path"],
  ];
  test.each(refused)("case 77: %s", async (_name, key, code) => {
    expect(await codeOf(fetched(key, open.port))).toBe(code);
  });

  test("without the bucket", async () => {
    expect(await codeOf(fetched("x", open.port, BYTES, {}, undefined, "nothing"))).toBe("not_found");
  });
  test("beyond the ceiling", async () => {
    const store = chooseStore(`nats://127.0.0.1:${open.port}/addons`, undefined, choiceWith());
    expect(await codeOf(store.open(reading("app/1.0")))).toBe("artifact_too_large");
  });

  test("that wants a token", async () => {
    await fetched("app/1.0", guarded.port, BYTES, {}, "token-number-1");
    expect(await codeOf(fetched("app/1.0", guarded.port, BYTES, {}, "token-number-2"))).toBe("unauthorized");
    expect(await codeOf(fetched("app/1.0", guarded.port))).toBe("unauthorized");
    // What was given for one server is for no other, even when the reference names that very one.
    const absolute = `nats://127.0.0.1:${guarded.port}/addons/app/1.0`;
    expect(await codeOf(fetched(absolute, guarded.port, BYTES, {}, "token-number-1"))).toBe("unauthorized");
  });
  test("credentials that are none", async () => {
    writeFileSync(folder.at("bad.creds"), "nothing of that kind");
    const choice = { natsCredentials: folder.at("bad.creds") };
    expect(await codeOf(fetched("app/1.0", open.port, BYTES, choice))).toBe("credential_missing");
    const missing = { natsCredentials: folder.at("missing.creds") };
    expect(await codeOf(fetched("app/1.0", open.port, BYTES, missing))).toBe("credential_missing");
  });

  test("credentials of a user: a JWT and its seed", async () => {
    const accounts = new NatsAccounts();
    writeFileSync(folder.at("operator.conf"), accounts.config);
    const server = await startNats(folder, ["-c", folder.at("operator.conf")]);
    try {
      const creds = (name: string, text: string): Partial<StoreChoice> => {
        writeFileSync(folder.at(name), text, { mode: 0o600 });
        return { natsCredentials: folder.at(name) };
      };
      const good = accounts.user();
      await fill(server.port, { authenticator: credsAuthenticator(new TextEncoder().encode(good)) });
      await fetched("app/1.0", server.port, BYTES, creds("good.creds", good));
      const bad: [string, Partial<StoreChoice>, string][] = [
        ["none", {}, "unauthorized"],
        ["of another operator", creds("other.creds", new NatsAccounts().user()), "unauthorized"],
        ["expired", creds("old.creds", accounts.user([], 1_600_000_000)), "unauthorized"],
        ["that may not ask", creds("denied.creds", accounts.user(["$JS.API.>"])), "forbidden"],
      ];
      for (const [name, choice, code] of bad) {
        expect([name, await codeOf(fetched("app/1.0", server.port, BYTES, choice))]).toEqual([name, code]);
      }
      const seed = /BEGIN USER NKEY SEED-----\n(\S+)/u.exec(good)?.[1] ?? "";
      expect(seed).toMatch(/^SU/u);
      const mixed = good.replace(seed, /SEED-----\n(\S+)/u.exec(accounts.user())?.[1] ?? "");
      expect(await codeOf(fetched("app/1.0", server.port, BYTES, creds("mixed.creds", mixed)))).toBe(
        "unauthorized",
      );
    } finally {
      await server.daemon.stop();
    }
  });

  test("over TLS, which is not given up", async () => {
    const choice = { reach: { ca: certificates.ca } };
    await fetched("app/1.0", secure.port, BYTES, choice);
    expect(await codeOf(fetched("app/1.0", open.port, BYTES, choice))).toBe("tls_failed");
    const strange = { reach: { ca: certificates.ca }, allowInsecureHttp: false };
    await fetched("app/1.0", secure.port, BYTES, strange);
    const unknown = { allowInsecureHttp: false };
    expect(await codeOf(fetched("app/1.0", secure.port, BYTES, unknown))).toBe("tls_failed");
  });

  test("that is gone", async () => {
    expect(await codeOf(fetched("app/1.0", await freePort()))).toBe("connection_failed");
  });

  test("that is killed in the middle", async () => {
    const victim = await startNats(folder);
    // More than it may send ahead.
    await fill(victim.port, {}, randomBytes(24_000_000));
    const store = chooseStore(`nats://127.0.0.1:${victim.port}/addons`, undefined, choiceWith());
    const read = async (): Promise<void> => {
      let pieces = 0;
      for await (const chunk of await store.open(reading("app/1.0", { maxBytes: 90_000_000 }))) {
        pieces += chunk.length > 0 ? 1 : 0;
        if (pieces === 1) await victim.daemon.stop("SIGKILL");
      }
    };
    expect(await codeOf(read())).toBe("connection_lost");
  });

  test("that stands still in the middle is left at the deadline", async () => {
    const victim = await startNats(folder);
    await fill(victim.port, {}, randomBytes(24_000_000));
    const store = chooseStore(`nats://127.0.0.1:${victim.port}/addons`, undefined, choiceWith());
    const { pid } = victim.daemon;
    const read = async (): Promise<void> => {
      const limits = { maxBytes: 90_000_000, deadlineMs: 2_000 };
      for await (const _ of await store.open(reading("app/1.0", limits))) process.kill(pid, "SIGSTOP");
    };
    try {
      expect(await codeOf(read())).toBe("deadline_passed");
    } finally {
      process.kill(pid, "SIGCONT");
      await victim.daemon.stop();
    }
  });

  test("that lost a piece", async () => {
    const connection = await connect({ servers: `127.0.0.1:${open.port}`, reconnect: false });
    const bucket = await new Objm(connection).open("addons");
    const info = await bucket.putBlob({ name: "app/torn" }, new Uint8Array(BYTES));
    const manager = await jetstreamManager(connection);
    const piece = await manager.streams.getMessage("OBJ_addons", {
      last_by_subj: `$O.addons.C.${info.nuid}`,
    });
    if (piece === null) throw new Error("no piece");
    await manager.streams.deleteMessage("OBJ_addons", piece.seq);
    await connection.close();
    expect(await codeOf(fetched("app/torn", open.port))).toBe("answer_malformed");
  });

  test("goes on where a transfer broke, within a piece too, and only with the same object", async () => {
    const store = chooseStore(`nats://127.0.0.1:${open.port}/addons`, undefined, choiceWith());
    const limits = { maxBytes: 90_000_000 };
    const first = await store.open(reading("app/1.0", limits));
    const { validator } = first;
    expect(await bytesOf(first)).toEqual(BYTES);
    if (validator === null) throw new Error("no validator");
    for (const offset of [131_072, 1_000_001, 2_999_999]) {
      const rest = await store.open(reading("app/1.0", { ...limits, resume: { offset, validator } }));
      expect([rest.offset, rest.length]).toEqual([offset, BYTES.length]);
      expect((await bytesOf(rest)).equals(BYTES.subarray(offset))).toBe(true);
    }
    const other: Resume = { offset: 1_000_001, validator: { ...validator, text: "another" } };
    const anew = await store.open(reading("app/1.0", { ...limits, resume: other }));
    expect(anew.offset).toBe(0);
    expect((await bytesOf(anew)).equals(BYTES)).toBe(true);
  });

  test("starts over when pieces of another object lie between its own", async () => {
    const connection = await connect({ servers: `127.0.0.1:${open.port}`, reconnect: false });
    const bucket = await new Objm(connection).open("addons");
    let pieces = 0;
    const source = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (pieces === 3) await bucket.putBlob({ name: "app/between" }, new Uint8Array(OTHER));
        if (pieces++ < 6) controller.enqueue(new Uint8Array(BYTES.subarray(0, 131_072)));
        else controller.close();
      },
    });
    await bucket.put({ name: "app/mixed" }, source);
    await connection.close();
    const store = chooseStore(`nats://127.0.0.1:${open.port}/addons`, undefined, choiceWith());
    const first = await store.open(reading("app/mixed"));
    const { validator } = first;
    const all = await bytesOf(first);
    if (validator === null) throw new Error("no validator");
    // Before and behind the foreign piece.
    for (const [offset, from] of [
      [131_072, 0],
      [655_360, 655_360],
    ] as const) {
      const rest = await store.open(reading("app/mixed", { resume: { offset, validator } }));
      expect(rest.offset).toBe(from);
      expect((await bytesOf(rest)).equals(all.subarray(from))).toBe(true);
    }
  });

  test("a stop ends it", async () => {
    const stop = AbortSignal.abort("SIGINT");
    const store = chooseStore(`nats://127.0.0.1:${open.port}/addons`, undefined, choiceWith());
    expect(await codeOf(store.open(reading("app/1.0", { stop })).then(bytesOf))).toBe("interrupted");
  });
});
