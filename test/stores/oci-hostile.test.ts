import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { sha256Of } from "../../src/base/hashing.ts";
import { chooseStore, type StoreChoice } from "../../src/stores/choose.ts";
import { parseDockerConfig } from "../../src/stores/docker-config.ts";
import { parseChallenge } from "../../src/stores/oci-challenge.ts";
import { nextOfManifest } from "../../src/stores/oci-manifest.ts";
import { sourcesOf } from "../../src/stores/sources.ts";
import { scriptedServer, type Plan, type ScriptedServer } from "../support/scripted-server.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { choiceWith, codeOf, downloadOf } from "./reading.ts";

const BYTES = Buffer.from("#!/bin/sh\necho hi\n");
const WANTED = sha256Of(BYTES);
const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const layer = { mediaType: "application/octet-stream", digest: `sha256:${WANTED}`, size: BYTES.length };
const manifest = { schemaVersion: 2, mediaType: MANIFEST, layers: [layer] };

function codeOfManifest(document: unknown, contentType: string | null = null): string {
  const search = { where: "x", contentType, wanted: WANTED, platform: "linux/amd64" };
  try {
    const text = typeof document === "string" ? document : JSON.stringify(document);
    return nextOfManifest(Buffer.from(text), search).kind;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("a manifest", () => {
  const entry = (os: string, architecture: string): object => ({ ...layer, platform: { os, architecture } });
  const index = (...manifests: object[]): object => ({ schemaVersion: 2, mediaType: INDEX, manifests });
  const cases: [string, unknown, string][] = [
    ["with the layer", manifest, "layer"],
    [
      "of Docker",
      { ...manifest, mediaType: "application/vnd.docker.distribution.manifest.v2+json" },
      "layer",
    ],
    [
      "with a layer type that nobody knows",
      { ...manifest, layers: [{ ...layer, mediaType: "application/x.y" }] },
      "layer",
    ],
    [
      "that is an index with the platform",
      index(entry("linux", "arm64"), entry("linux", "amd64")),
      "manifest",
    ],
    ["that is an index without platforms", index(layer), "manifest"],
    [
      "that is an index with two of a platform",
      index(entry("linux", "amd64"), entry("linux", "amd64")),
      "answer_ambiguous",
    ],
    ["that is an index with two without", index(layer, layer), "answer_ambiguous"],
    [
      "that is an index of other platforms",
      index(entry("linux", "arm64"), entry("unknown", "unknown")),
      "platform_unsupported",
    ],
    ["that is an empty index", index(), "platform_unsupported"],
    ["with layers and manifests", { ...manifest, manifests: [] }, "answer_ambiguous"],
    [
      "of a type that nobody knows",
      { ...manifest, mediaType: "application/vnd.docker.distribution.manifest.v1+prettyjws" },
      "answer_unexpected",
    ],
    ["without any type", { schemaVersion: 2, layers: [layer] }, "answer_unexpected"],
    ["with a type that is a number", { ...manifest, mediaType: 1 }, "answer_malformed"],
    [
      "with a sha512 layer",
      { ...manifest, layers: [{ ...layer, digest: `sha512:${"a".repeat(128)}` }] },
      "answer_unexpected",
    ],
    [
      "with an upper-case digest",
      { ...manifest, layers: [{ ...layer, digest: `sha256:${"A".repeat(64)}` }] },
      "answer_unexpected",
    ],
    ["with a layer without a size", { ...manifest, layers: [{ digest: layer.digest }] }, "answer_malformed"],
    ["with a negative size", { ...manifest, layers: [{ ...layer, size: -1 }] }, "answer_malformed"],
    ["with layers that are no list", { ...manifest, layers: {} }, "answer_malformed"],
    ["without a layer", { ...manifest, layers: [] }, "not_found"],
    [
      "with other layers",
      { ...manifest, layers: [{ ...layer, digest: `sha256:${"a".repeat(64)}` }] },
      "hash_mismatch",
    ],
    ["that is a list", [], "answer_malformed"],
    ["that says a member twice", '{"layers":[],"layers":[]}', "answer_malformed"],
  ];
  test.each(cases)("case 78: %s", (_name, document, outcome) => {
    expect(codeOfManifest(document)).toBe(outcome);
  });
  test("whose header says another known type", () => {
    expect(codeOfManifest(manifest, INDEX)).toBe("answer_ambiguous");
    expect(codeOfManifest(manifest, "text/plain")).toBe("layer");
    expect(codeOfManifest({ schemaVersion: 2, layers: [layer] }, `${MANIFEST}; charset=utf-8`)).toBe("layer");
  });
});

describe("a challenge", () => {
  const cases: [string, ReturnType<typeof parseChallenge>][] = [
    [
      'Bearer realm="https://a/t",service="s",scope="repository:x:pull"',
      { scheme: "bearer", realm: "https://a/t", service: "s" },
    ],
    ['bearer service=s, realm="https://a/t"', { scheme: "bearer", realm: "https://a/t", service: "s" }],
    ['Bearer realm="https://a/t"', { scheme: "bearer", realm: "https://a/t", service: null }],
    ['Bearer realm="https://a/\\"t"', { scheme: "bearer", realm: 'https://a/"t', service: null }],
    ['Basic realm="x"', { scheme: "basic" }],
    ['Bearer realm="https://a",realm="https://b"', null],
    ['Bearer service="s"', null],
    ["Negotiate abc", null],
    ["", null],
  ];
  test.each(cases)("%p", (header, wanted) => {
    expect(parseChallenge(header)).toEqual(wanted);
  });
});

describe("a Docker configuration", () => {
  test("gives a login to its own host and to nobody else", () => {
    const config = {
      auths: {
        "https://index.docker.io/v1/": { auth: btoa("hub:word-one") },
        "reg.example:5000": { username: "u", password: "word-two" },
        "ghcr.io": {},
      },
      credHelpers: { "gcr.io": "gcloud" },
    };
    const logins = parseDockerConfig(Buffer.from(JSON.stringify(config)), "x");
    expect(
      ["registry-1.docker.io", "auth.docker.io", "reg.example:5000", "reg.example", "ghcr.io", "gcr.io"].map(
        (host) => logins.for(host)?.user,
      ),
    ).toEqual(["hub", "hub", "u", undefined, undefined, undefined]);
    expect([logins.isElsewhere("gcr.io"), logins.isElsewhere("ghcr.io")]).toEqual([true, false]);
  });
  test.each(["[]", "{", '{"auths":{"a":{"auth":"%%%"}}}', '{"auths":{"a":{"auth":"bm9jb2xvbg=="}}}'])(
    "%p is refused",
    (text) => {
      expect(() => parseDockerConfig(Buffer.from(text), "x")).toThrow(
        expect.objectContaining({ code: "config_invalid" }),
      );
    },
  );
});

async function fetched(
  plan: Plan | ((other: ScriptedServer) => Plan),
  look: (server: ScriptedServer, other: ScriptedServer, code: string) => void,
  choice: (server: ScriptedServer, other: ScriptedServer) => Partial<StoreChoice> = () => ({}),
  others: Plan = {},
  token?: string,
): Promise<void> {
  using folder = temporaryFolder();
  await using other = await scriptedServer(others);
  await using server = await scriptedServer(typeof plan === "function" ? plan(other) : plan);
  const full = choiceWith(choice(server, other));
  const stores = [chooseStore(`oci://127.0.0.1:${server.port}/addons/app:1`, token, full)];
  const sources = sourcesOf({ key: "x", downloadUrl: "", downloadToken: "" }, stores, full);
  look(server, other, await codeOf(downloadOf(BYTES, sources, folder.at("part"), { retryBudgetMs: 0 })));
}

const ROUTE = "GET /v2/addons/app/manifests/1";
const BLOB = `GET /v2/addons/app/blobs/sha256:${WANTED}`;
const given = { body: JSON.stringify(manifest), headers: { "content-type": MANIFEST } };

describe("a hostile registry", () => {
  const cases: [string, Plan, string][] = [
    ["gives what it should", { [ROUTE]: given, [BLOB]: { body: BYTES } }, "none"],
    ["gives other bytes for the blob", { [ROUTE]: given, [BLOB]: { body: "other" } }, "hash_mismatch"],
    [
      "says another digest for its manifest",
      {
        [ROUTE]: {
          ...given,
          headers: { ...given.headers, "docker-content-digest": `sha256:${"a".repeat(64)}` },
        },
      },
      "hash_mismatch",
    ],
    [
      "says a sha512 digest for its manifest",
      {
        [ROUTE]: {
          ...given,
          headers: { ...given.headers, "docker-content-digest": `sha512:${"a".repeat(128)}` },
        },
      },
      "answer_unexpected",
    ],
    [
      "gives a manifest of more than 4 MiB",
      { [ROUTE]: { ...given, body: JSON.stringify({ ...manifest, x: "y".repeat(4_194_304) }) } },
      "answer_too_large",
    ],
    ["never ends its manifest", { [ROUTE]: { send: "endless" } }, "answer_too_large"],
    [
      "gives a page",
      { [ROUTE]: { body: "<html>", headers: { "content-type": "text/html" } } },
      "answer_malformed",
    ],
    [
      "redirects its manifest",
      { [ROUTE]: { status: 302, headers: { location: "https://x.example/" } } },
      "redirect_refused",
    ],
    [
      "sends the blob to a metadata service",
      { [ROUTE]: given, [BLOB]: { status: 307, headers: { location: "https://169.254.169.254/x" } } },
      "answer_malformed",
    ],
    [
      "sends the blob over plain http",
      { [ROUTE]: given, [BLOB]: { status: 307, headers: { location: "http://cdn.example/x" } } },
      "answer_malformed",
    ],
    [
      "sends the blob to a file",
      { [ROUTE]: given, [BLOB]: { status: 307, headers: { location: "file:///etc/passwd" } } },
      "answer_malformed",
    ],
    [
      "wants a token from a plain http server",
      { [ROUTE]: { status: 401, headers: { "www-authenticate": 'Bearer realm="http://token.example/t"' } } },
      "answer_malformed",
    ],
    [
      "wants something that nobody knows",
      { [ROUTE]: { status: 401, headers: { "www-authenticate": "Negotiate" } } },
      "unauthorized",
    ],
    [
      "is never content",
      { [ROUTE]: { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } } },
      "unauthorized",
    ],
  ];
  test.each(cases)("%s", async (_name, plan, code) => {
    await fetched(plan, (_server, _other, found) => expect(found).toBe(code));
  });

  test("nests its indexes without end", async () => {
    const bodies: string[] = [JSON.stringify(manifest)];
    for (let depth = 0; depth < 6; depth++) {
      const below = bodies[0] ?? "";
      const entry = { mediaType: INDEX, digest: `sha256:${sha256Of(below)}`, size: Buffer.byteLength(below) };
      bodies.unshift(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [entry] }));
    }
    const plan = Object.fromEntries(
      bodies.map((body, index) => [
        index === 0 ? ROUTE : `GET /v2/addons/app/manifests/sha256:${sha256Of(body)}`,
        { body, headers: { "content-type": index === 6 ? MANIFEST : INDEX } },
      ]),
    );
    await fetched(plan, (_server, _other, code) => expect(code).toBe("answer_unexpected"));
  });

  test("gives a manifest that is not the one of its index", async () => {
    const index = {
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [{ mediaType: MANIFEST, digest: `sha256:${"b".repeat(64)}`, size: 10 }],
    };
    const plan = {
      [ROUTE]: { body: JSON.stringify(index), headers: { "content-type": INDEX } },
      [`GET /v2/addons/app/manifests/sha256:${"b".repeat(64)}`]: given,
    };
    await fetched(plan, (_server, _other, code) => expect(code).toBe("hash_mismatch"));
  });
});

describe("a token server", () => {
  const bearer = (realm: string): Plan => {
    const gate =
      (answer: object) =>
      (request: { headers: Readonly<Record<string, string>> }): object =>
        request.headers["authorization"] === "Bearer pull-token-1"
          ? answer
          : {
              status: 401,
              headers: {
                "www-authenticate": `Bearer realm="${realm}",service="reg",scope="repository:secret/all:push,pull"`,
              },
            };
    return { [ROUTE]: gate(given), [BLOB]: gate({ body: BYTES }) };
  };
  const asked = `/token?scope=${encodeURIComponent("repository:addons/app:pull")}&service=reg`;
  const answer = { body: JSON.stringify({ token: "pull-token-1" }) };

  test("on another host is asked with the login of the registry that named it, and for no more than this read", async () => {
    const config = (server: ScriptedServer): Partial<StoreChoice> => ({
      logins: parseDockerConfig(
        Buffer.from(
          JSON.stringify({ auths: { [`127.0.0.1:${server.port}`]: { auth: btoa("u:secret-1") } } }),
        ),
        "x",
      ),
    });
    const plan = (other: ScriptedServer): Plan => bearer(`${other.url}/token`);
    await fetched(
      plan,
      (_server, other, code) => {
        expect(code).toBe("none");
        expect(other.requests.map(({ path, headers }) => [path, headers["authorization"]])).toEqual([
          [asked, `Basic ${btoa("u:secret-1")}`],
        ]);
      },
      config,
      { [`GET ${asked}`]: answer },
    );
  });

  test("gets the login that is meant for it", async () => {
    const config = (_server: ScriptedServer, other: ScriptedServer): Partial<StoreChoice> => ({
      logins: parseDockerConfig(
        Buffer.from(JSON.stringify({ auths: { [`127.0.0.1:${other.port}`]: { auth: btoa("u:secret-1") } } })),
        "x",
      ),
    });
    const plan = (other: ScriptedServer): Plan => bearer(`${other.url}/token`);
    await fetched(
      plan,
      (_server, other, code) => {
        expect(code).toBe("none");
        expect(other.requests[0]?.headers["authorization"]).toBe(`Basic ${btoa("u:secret-1")}`);
      },
      config,
      { [`GET ${asked}`]: answer },
    );
  });

  const broken: [string, object, string][] = [
    ["that refuses", { status: 403 }, "unauthorized"],
    ["that fails", { status: 503 }, "server_failed"],
    ["without a token", { body: "{}" }, "answer_malformed"],
    [
      "with a token that no header carries",
      { body: JSON.stringify({ token: "a\r\nb: c" }) },
      "answer_malformed",
    ],
    ["that redirects", { status: 302, headers: { location: "/" } }, "redirect_refused"],
  ];
  test.each(broken)("%s", async (_name, reply, code) => {
    const plan = (other: ScriptedServer): Plan => bearer(`${other.url}/token`);
    await fetched(
      plan,
      (_server, _other, found) => expect(found).toBe(code),
      () => ({}),
      { [`GET ${asked}`]: reply },
    );
  });

  test("is not asked when a token was given", async () => {
    await fetched(
      bearer("http://127.0.0.1:1/"),
      (server, _other, code) => {
        expect(code).toBe("none");
        expect(server.requests).toHaveLength(2);
      },
      () => ({}),
      {},
      "pull-token-1",
    );
  });
});

test("a blob that lies elsewhere is asked for without any credential", async () => {
  const path = `/cdn/${randomBytes(4).toString("hex")}?sig=1`;
  const plan = (other: ScriptedServer): Plan => ({
    [ROUTE]: given,
    [BLOB]: { status: 307, headers: { location: `${other.url}${path}` } },
  });
  await fetched(
    plan,
    (server, other, code) => {
      expect(code).toBe("none");
      expect(server.requests[0]?.headers["authorization"]).toBe("Bearer pull-token-1");
      expect(other.requests.map(({ path: seen, headers }) => [seen, headers["authorization"]])).toEqual([
        [path, undefined],
      ]);
    },
    () => ({}),
    { [`GET ${path}`]: { body: BYTES } },
    "pull-token-1",
  );
});
