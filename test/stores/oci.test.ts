import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { zstdCompressSync } from "node:zlib";
import { sha256Of } from "../../src/base/hashing.ts";
import { chooseStore, type StoreChoice } from "../../src/stores/choose.ts";
import { parseDockerConfig } from "../../src/stores/docker-config.ts";
import { sourcesOf } from "../../src/stores/sources.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";
import { HAS_REGISTRY, Pusher, startRegistry, type RegistryServer } from "./docker-registry.ts";
import { choiceWith, codeOf, downloadOf } from "./reading.ts";

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const EMPTY = { mediaType: "application/vnd.oci.empty.v1+json", digest: `sha256:${sha256Of("{}")}`, size: 2 };
const LOGIN = { user: "reader", password: "pass-word-1" };

let folder: TemporaryFolder;
let open: RegistryServer;
let closed: RegistryServer;
let bytes: Buffer;
let zipped: Buffer;

function manifestOf(...layers: object[]): object {
  return {
    schemaVersion: 2,
    mediaType: MANIFEST,
    artifactType: "application/x.addon",
    config: EMPTY,
    layers,
  };
}

beforeAll(async () => {
  if (!HAS_REGISTRY) return;
  folder = temporaryFolder();
  bytes = randomBytes(2_500_000);
  zipped = zstdCompressSync(bytes.subarray(0, 100_000));
  [open, closed] = await Promise.all([startRegistry(folder), startRegistry(folder, LOGIN)]);
  const pusher = new Pusher(open.host, "addons/sample");
  const put = pusher;
  await put.blob(Buffer.from("{}"));
  const layer = await put.blob(bytes);
  const arm = await put.blob(Buffer.from("for another machine"));
  const zstd = await put.blob(zipped, "application/vnd.oci.image.layer.v1.tar+zstd");
  const amd64 = await put.manifest(manifestOf(layer, zstd), MANIFEST);
  const arm64 = await put.manifest(manifestOf(arm), MANIFEST);
  const entries = [
    { ...arm64, platform: { os: "linux", architecture: "arm64" } },
    { ...amd64, platform: { os: "linux", architecture: "amd64" } },
    { ...arm64, platform: { os: "unknown", architecture: "unknown" } },
  ];
  const index = { schemaVersion: 2, mediaType: INDEX, manifests: entries };
  const inner = await put.manifest(index, INDEX, "1.0");
  await put.manifest(manifestOf(layer), MANIFEST, "plain");
  const nested = { schemaVersion: 2, mediaType: INDEX, manifests: [inner] };
  await put.manifest(nested, INDEX, "nested");
  const only = { ...index, manifests: entries.slice(0, 1) };
  await put.manifest(only, INDEX, "arm");
  const privately = new Pusher(closed.host, "addons/sample", LOGIN);
  await privately.blob(Buffer.from("{}"));
  await privately.manifest(manifestOf(await privately.blob(bytes)), MANIFEST, "1.0");
});

afterAll(async () => {
  if (!HAS_REGISTRY) return;
  await Promise.all([open.daemon.stop(), closed.daemon.stop()]);
  folder[Symbol.dispose]();
});

async function fetched(
  key: string,
  store: string | null,
  wanted: Uint8Array = bytes,
  choice: Partial<StoreChoice> = {},
  token?: string,
): Promise<void> {
  const full = choiceWith(choice);
  const stores = store === null ? [] : [chooseStore(store, token, full)];
  const path = folder.at(`part-${randomBytes(4).toString("hex")}`);
  await downloadOf(wanted, sourcesOf({ key, downloadUrl: "", downloadToken: "" }, stores, full), path);
  expect(readFileSync(path).equals(Buffer.from(wanted))).toBe(true);
}

describe.skipIf(!HAS_REGISTRY)("a real registry", () => {
  const found: [string, string, string | null][] = [
    ["index, platform, layer", "oci://HOST/addons/sample:1.0", null],
    ["an index in an index", "oci://HOST/addons/sample:nested", null],
    ["a manifest without an index", "oci://HOST/addons/sample:plain", null],
    ["a tag of the store", "app", "oci://HOST/addons/sample:1.0"],
    ["a tag in the key", "sample:1.0", "oci://HOST/addons"],
    ["a blob by its digest alone", "any/name", "oci://HOST/addons/sample"],
    ["a blob of an absolute reference", "oci://HOST/addons/sample", null],
  ];
  test.each(found)("%s", async (_name, key, store) => {
    await fetched(key.replace("HOST", open.host), store?.replace("HOST", open.host) ?? null);
  });

  test("a layer in zstd comes as it was pushed", async () => {
    await fetched(`oci://${open.host}/addons/sample:1.0`, null, zipped);
  });

  const missing: [string, string, string][] = [
    ["a tag that is not there", "oci://HOST/addons/sample:2.0", "not_found"],
    ["a repository that is not there", "oci://HOST/addons/other:1.0", "not_found"],
    ["a platform that is not there", "oci://HOST/addons/sample:arm", "platform_unsupported"],
  ];
  test.each(missing)("%s", async (_name, key, code) => {
    expect(await codeOf(fetched(key.replace("HOST", open.host), null))).toBe(code);
  });

  test("case 44: a tag that was moved is seen before anything is fetched", async () => {
    const key = `oci://${open.host}/addons/sample:plain`;
    expect(await codeOf(fetched(key, null, Buffer.from("what was assigned")))).toBe("hash_mismatch");
  });

  test("goes on with a range", async () => {
    const store = chooseStore(`oci://${open.host}/addons/sample`, undefined, choiceWith());
    const sha256 = sha256Of(bytes);
    const read = {
      key: "x",
      sha256,
      maxBytes: 9_000_000,
      deadlineMs: 5_000,
      stop: new AbortController().signal,
    };
    const { validator, length } = await store.open(read);
    expect(length).toBe(bytes.length);
    if (validator === null) throw new Error("no validator");
    const rest = await store.open({ ...read, resume: { offset: 2_000_000, validator } });
    expect(rest.offset).toBe(2_000_000);
  });

  test("that wants a login gets the one that is meant for it", async () => {
    const auth = btoa(`${LOGIN.user}:${LOGIN.password}`);
    const config = JSON.stringify({
      auths: { [closed.host]: { auth }, "other.example": { auth: btoa("a:b") } },
    });
    const logins = parseDockerConfig(Buffer.from(config), "config.json");
    const key = `oci://${closed.host}/addons/sample:1.0`;
    await fetched(key, null, bytes, { logins });
    expect(await codeOf(fetched(key, null))).toBe("unauthorized");
    const wrong = parseDockerConfig(
      Buffer.from(config.replace(auth, btoa("reader:wrong-one"))),
      "config.json",
    );
    expect(await codeOf(fetched(key, null, bytes, { logins: wrong }))).toBe("unauthorized");
  });
});
