import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Objm } from "@nats-io/obj";
import { connect } from "@nats-io/transport-node";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { putInto } from "../../src/addons/operations/publish-stores.ts";
import { sha256Of } from "../../src/base/hashing.ts";
import { chooseStore, type StoreChoice } from "../../src/stores/choose.ts";
import { parseDockerConfig } from "../../src/stores/docker-config.ts";
import type { ObjectWrite, WritableStore } from "../../src/stores/store.ts";
import { scriptedServer } from "../support/scripted-server.ts";
import { freePort, listens, startDaemon, type Daemon } from "../support/programs.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";
import { HAS_CEPH, startCeph } from "./ceph.ts";
import { HAS_REGISTRY, startRegistry, type RegistryServer } from "./docker-registry.ts";
import { bytesOf, choiceWith, codeOf, reading } from "./reading.ts";
import { s3Server } from "./s3-server.ts";

const BYTES = randomBytes(700_000);
const KEY = "native-addons/app/1.0/linux/amd64/artifact+1.bin";

let folder: TemporaryFolder;
beforeAll(() => {
  folder = temporaryFolder();
  writeFileSync(folder.at("artifact"), BYTES);
  mkdirSync(folder.at("store"));
});
afterAll(() => folder[Symbol.dispose]());

function storeAt(text: string, choice: Partial<StoreChoice> = {}, token?: string): WritableStore {
  return chooseStore(text, token, choiceWith({ cwd: folder.path, ...choice }));
}

function object(more: Partial<ObjectWrite> = {}): ObjectWrite {
  const [file, sha256, size] = [folder.at("artifact"), sha256Of(BYTES), BYTES.length];
  return { key: KEY, file, sha256, size, deadlineMs: 20_000, stop: new AbortController().signal, ...more };
}

/** Written once, found the second time, and read by whoever reads. */
async function takes(store: WritableStore): Promise<void> {
  expect(await putInto(store, object())).toEqual({ store: store.name, outcome: "new" });
  expect(await putInto(store, object())).toEqual({ store: store.name, outcome: "already" });
  const read = reading(KEY, { sha256: sha256Of(BYTES) });
  expect((await bytesOf(await store.open(read))).equals(BYTES)).toBe(true);
}

describe("a directory", () => {
  test("takes an object, whole and readable by all, and leaves nothing else", async () => {
    await takes(storeAt("file:store"));
    const files = readdirSync(folder.at("store"), { recursive: true, withFileTypes: true });
    expect(files.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual(["artifact+1.bin"]);
  });
  test("writes over other bytes", async () => {
    mkdirSync(dirname(folder.at(`over/${KEY}`)), { recursive: true });
    writeFileSync(folder.at(`over/${KEY}`), "other");
    await takes(storeAt("file:over"));
  });
  test("is not left through a link, nor by a key", async () => {
    mkdirSync(folder.at("linked"));
    mkdirSync(folder.at("elsewhere"));
    symlinkSync(folder.at("elsewhere"), folder.at("linked/native-addons"));
    expect(await codeOf(storeAt("file:linked").write(object()))).toBe("unsafe_path");
    expect(readFileSync(folder.at("artifact")).equals(BYTES)).toBe(true);
    expect(readdirSync(folder.at("elsewhere"))).toEqual([]);
    expect(await codeOf(storeAt("file:linked").write(object({ key: "../x" })))).toBe("unsafe_path");
  });
  test("takes an object without a folder", async () => {
    mkdirSync(folder.at("flat"));
    await storeAt("file:flat").write(object({ key: "artifact" }));
    expect(readFileSync(folder.at("flat/artifact")).equals(BYTES)).toBe(true);
  });
  test("that is not there is no store", async () => {
    expect(await codeOf(putInto(storeAt("file:nowhere"), object()))).toBe("object_store_unavailable");
  });
});

test("what does not come out as it went in is no success", async () => {
  mkdirSync(folder.at("lied"));
  const store = storeAt("file:lied");
  await putInto(store, object());
  const liar: WritableStore = { name: "liar", open: (read) => store.open(read), write: async () => {} };
  const changed = object({ sha256: sha256Of("something else") });
  expect(await codeOf(putInto(liar, changed))).toBe("response_mismatch");
});

describe.skipIf(Bun.which("nginx") === null)("a real nginx", () => {
  let daemon: Daemon;
  const ports = { open: 0, closed: 0 };
  beforeAll(async () => {
    [ports.open, ports.closed] = [await freePort(), await freePort()];
    for (const name of ["www", "temporary"]) mkdirSync(folder.at(name), { mode: 0o777 });
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${folder.at("temporary")};`)
      .join(" ");
    const server = (port: number, more: string): string =>
      `server { listen 127.0.0.1:${port}; root ${folder.at("www")}; client_max_body_size 1m; ${more} }`;
    const guarded = `if ($http_authorization != "Bearer token-number-1") { return 401; }`;
    const dav = `location / { ${guarded} dav_methods PUT; create_full_put_path on; }`;
    writeFileSync(
      folder.at("dav.conf"),
      `daemon off; master_process off; pid ${folder.at("dav.pid")}; events {} http { access_log off; ${paths} ${server(ports.open, dav)} ${server(ports.closed, "")} }`,
    );
    const words = ["nginx", "-e", folder.at("dav.log"), "-c", folder.at("dav.conf")];
    daemon = await startDaemon(words, () => listens(ports.closed));
  });
  afterAll(() => daemon.stop());
  const at = (port: number, token?: string): WritableStore =>
    storeAt(`http://127.0.0.1:${port}/artifacts`, { allowInsecureHttp: true }, token);

  test("takes an object by PUT, into folders that were not there", () =>
    takes(at(ports.open, "token-number-1")));
  test("is told the token, or takes nothing", async () => {
    expect(await codeOf(at(ports.open, "another-token").write(object()))).toBe("unauthorized");
  });
  test("that takes no files says so", async () => {
    expect(await codeOf(at(ports.closed).write(object()))).toBe("request_rejected");
  });
  test("that takes none so large is told apart", async () => {
    const large = folder.at("large");
    writeFileSync(large, new Uint8Array(1_200_000));
    const file = { file: large, key: "large", size: 1_200_000 };
    expect(await codeOf(at(ports.open, "token-number-1").write(object(file)))).toBe("artifact_too_large");
  });
});

describe("an S3 bucket", () => {
  const environment = { AWS_ACCESS_KEY_ID: "AK", AWS_SECRET_ACCESS_KEY: "secret-key-1" };
  test("takes an object", async () => {
    await using server = s3Server(new Map());
    await takes(
      storeAt("s3://addons/pre", { environment: { ...environment, AWS_ENDPOINT_URL: server.url } }),
    );
  });
  test("refuses a wrong secret", async () => {
    await using server = s3Server(new Map());
    const wrong = { ...environment, AWS_SECRET_ACCESS_KEY: "other", AWS_ENDPOINT_URL: server.url };
    expect(await codeOf(storeAt("s3://addons", { environment: wrong }).write(object()))).toBe("unauthorized");
  });
  test.skipIf(!HAS_CEPH || process.env["WAYBILL_FULL"] === undefined)(
    "of a real Ceph gateway takes an object",
    async () => {
      await using ceph = await startCeph(folder);
      await takes(storeAt("s3://addons", { environment: { ...environment, AWS_ENDPOINT_URL: ceph.url } }));
    },
    120_000,
  );
});

describe.skipIf(!HAS_REGISTRY)("a real registry", () => {
  let open: RegistryServer;
  let guarded: RegistryServer;
  beforeAll(async () => {
    const login = { user: "ci", password: "pass-word-1" };
    [open, guarded] = await Promise.all([startRegistry(folder), startRegistry(folder, login)]);
  });
  afterAll(async () => {
    await Promise.all([open.daemon.stop(), guarded.daemon.stop()]);
  });
  test("takes a blob and a manifest that keeps it", async () => {
    await takes(storeAt(`oci://${open.host}/addons/app`));
    const tag = "native-addons-app-1.0-linux-amd64-artifact-1.bin";
    const answer = await fetch(`http://${open.host}/v2/addons/app/manifests/${tag}`, {
      headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
      keepalive: false,
    });
    expect(await answer.json()).toMatchObject({
      layers: [{ digest: `sha256:${sha256Of(BYTES)}`, size: BYTES.length }],
    });
  });
  test("that wants a login gets the one that is meant for it", async () => {
    const auth = Buffer.from("ci:pass-word-1").toString("base64");
    const config = Buffer.from(JSON.stringify({ auths: { [guarded.host]: { auth } } }));
    await takes(
      storeAt(`oci://${guarded.host}/addons/app`, { logins: parseDockerConfig(config, "config.json") }),
    );
    expect(await codeOf(storeAt(`oci://${guarded.host}/addons/other`).write(object()))).toBe("unauthorized");
  });
  test("with a tag is one image, and no place to write", async () => {
    expect(await codeOf(storeAt(`oci://${open.host}/addons/app:1.0`).write(object()))).toBe("invalid_value");
  });
});

test("a registry that wants an upload to go elsewhere does not get one", async () => {
  await using elsewhere = await scriptedServer({});
  const location = { location: `${elsewhere.url}/upload?state=1` };
  await using server = await scriptedServer({
    "POST /v2/addons/app/blobs/uploads/": { status: 202, headers: location },
  });
  const store = storeAt(`oci://127.0.0.1:${server.port}/addons/app`, {}, "token-number-1");
  expect(await codeOf(store.write(object()))).toBe("answer_unexpected");
  expect(elsewhere.connections()).toBe(0);
});

describe.skipIf(Bun.which("nats-server") === null)("a real NATS server", () => {
  let port: number;
  let daemon: Daemon;
  beforeAll(async () => {
    port = await freePort();
    const words = [
      "nats-server",
      "-js",
      "-a",
      "127.0.0.1",
      "-p",
      String(port),
      "-sd",
      folder.at("jetstream"),
    ];
    daemon = await startDaemon(words, () => listens(port));
    const connection = await connect({ servers: `127.0.0.1:${port}`, reconnect: false });
    await new Objm(connection).create("addons");
    await connection.close();
  });
  afterAll(() => daemon.stop());
  test("takes an object", () => takes(storeAt(`nats://127.0.0.1:${port}/addons/pre`)));
  test("without the bucket", async () => {
    expect(await codeOf(putInto(storeAt(`nats://127.0.0.1:${port}/nothing`), object()))).toBe("not_found");
  });
});
