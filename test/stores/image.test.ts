import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { Failure } from "../../src/base/failure.ts";
import { sha256Of } from "../../src/base/hashing.ts";
import { SYSTEM_CLOCK } from "../../src/host/clock.ts";
import { parseDockerConfig } from "../../src/stores/docker-config.ts";
import { proveImage, type ImageRule, type ProvenImage } from "../../src/stores/image.ts";
import { parseImage } from "../../src/stores/image-reference.ts";
import { scriptedServer, type Plan, type ScriptedServer } from "../support/scripted-server.ts";

const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const CONFIG = JSON.stringify({ os: "linux", architecture: "amd64", rootfs: {} });
const CONFIG_HEX = sha256Of(CONFIG);
const BODY = JSON.stringify({
  schemaVersion: 2,
  mediaType: IMAGE,
  config: {
    mediaType: "application/vnd.oci.image.config.v1+json",
    digest: `sha256:${CONFIG_HEX}`,
    size: CONFIG.length,
  },
  layers: [],
});
const HEX = sha256Of(BODY);
const GOOD = { body: BODY, headers: { "content-type": IMAGE, "docker-content-digest": `sha256:${HEX}` } };

const TAG = "GET /v2/org/app/manifests/1.0";
const BY_DIGEST = `GET /v2/org/app/manifests/sha256:${HEX}`;
const BLOB = `GET /v2/org/app/blobs/sha256:${CONFIG_HEX}`;
const PASSWORD = "pass-word-of-reader";

type Options = Partial<ImageRule> & {
  readonly reference?: string;
  readonly config?: (host: string) => object;
};

async function prove(server: ScriptedServer, options: Options = {}): Promise<ProvenImage | Failure> {
  const { reference = ":1.0", config = () => ({}), ...rule } = options;
  const host = `127.0.0.1:${server.port}`;
  try {
    return await proveImage(
      parseImage(`${host}/org/app${reference}`, "x"),
      {
        logins: parseDockerConfig(Buffer.from(JSON.stringify(config(host))), "config.json"),
        token: undefined,
        reach: {},
        allowInsecureHttp: true,
        keepSecret: () => {},
      },
      {
        platforms: [],
        trustBytes: false,
        attemptTimeoutMs: 5_000,
        tries: 1,
        intervalMs: 1,
        clock: SYSTEM_CLOCK,
        stop: new AbortController().signal,
        ...rule,
      },
    );
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

function login(host: string): object {
  return { auths: { [host]: { auth: btoa(`reader:${PASSWORD}`) } } };
}

async function codeWith(plan: Plan, options: Options = {}): Promise<string> {
  await using server = await scriptedServer(plan);
  const found = await prove(server, options);
  return found instanceof Failure ? `${found.exitCode} ${found.code}` : "proven";
}

describe("an image that is there", () => {
  test("by its tag", async () => {
    await using server = await scriptedServer({ [TAG]: GOOD });
    expect(await prove(server)).toEqual({
      name: `127.0.0.1:${server.port}/org/app:1.0`,
      digest: `sha256:${HEX}` as ProvenImage["digest"],
      kind: "image",
      mediaType: IMAGE,
      bytes: BODY.length,
      platforms: [],
      header: "equal",
    });
    expect(server.requests[0]?.headers["accept"]).toContain(INDEX);
    expect(server.requests[0]?.headers["authorization"]).toBe(undefined);
  });

  test("by its digest", async () => {
    expect(await codeWith({ [BY_DIGEST]: GOOD }, { reference: `@sha256:${HEX}` })).toBe("proven");
    expect(await codeWith({ [BY_DIGEST]: GOOD }, { reference: `:1.0@sha256:${HEX}` })).toBe("proven");
  });

  test("for its platform, by its configuration", async () => {
    const plan = { [TAG]: GOOD, [BLOB]: { body: CONFIG } };
    expect(await codeWith(plan, { platforms: ["linux/amd64"] })).toBe("proven");
    expect(await codeWith(plan, { platforms: ["linux/amd64", "linux/arm64"] })).toBe("5 platform_missing");
    const other = { [TAG]: GOOD, [BLOB]: { body: CONFIG.replace("amd64", "arm64") } };
    expect(await codeWith(other, { platforms: ["linux/amd64"] })).toBe("6 hash_mismatch");
    expect(await codeWith({ [TAG]: GOOD }, { platforms: ["linux/amd64"] })).toBe("7 not_found");
  });

  test("for its platform, by its index, whose manifest is there too", async () => {
    const platform = { os: "linux", architecture: "amd64" };
    const body = JSON.stringify({
      mediaType: INDEX,
      manifests: [{ digest: `sha256:${HEX}`, size: 1, platform }],
    });
    const index = {
      body,
      headers: { "content-type": INDEX, "docker-content-digest": `sha256:${sha256Of(body)}` },
    };
    const platforms = ["linux/amd64"];
    expect(await codeWith({ [TAG]: index, [BY_DIGEST]: GOOD }, { platforms })).toBe("proven");
    expect(await codeWith({ [TAG]: index }, { platforms })).toBe("7 artifact_absent");
    expect(await codeWith({ [TAG]: index }, { platforms: ["linux/arm64"] })).toBe("5 platform_missing");
    expect(await codeWith({ [TAG]: index })).toBe("proven");
  });

  test("after an answer that said nothing about it", async () => {
    const plan = { [TAG]: [{ status: 503 }, { bodyBytes: 5, body: BODY }, GOOD] };
    expect(await codeWith(plan, { tries: 3 })).toBe("proven");
    expect(await codeWith(plan, { tries: 2 })).toBe("12 connection_lost");
  });
});

describe("the digest that the registry says", () => {
  const said = (value: string | undefined): Plan => ({
    [TAG]: {
      body: BODY,
      headers: { "content-type": IMAGE, ...(value === undefined ? {} : { "docker-content-digest": value }) },
    },
  });
  test.each([
    ["none", undefined],
    ["another", `sha256:${"b".repeat(64)}`],
    ["of another algorithm", `sha512:${"b".repeat(128)}`],
    ["in capitals", `sha256:${HEX.toUpperCase()}`],
    ["with words around it", `sha256:${HEX}, x`],
  ])("%s is 6, and the bytes decide with --trust-bytes", async (_what, value) => {
    expect(await codeWith(said(value))).toBe("6 digest_header_mismatch");
    expect(await codeWith(said(value), { trustBytes: true })).toBe("proven");
  });

  test("is nothing against the digest that was asked for", async () => {
    const asked = "c".repeat(64);
    const lie = {
      body: BODY,
      headers: { "content-type": IMAGE, "docker-content-digest": `sha256:${asked}` },
    };
    const plan = { [`GET /v2/org/app/manifests/sha256:${asked}`]: lie };
    const options = { reference: `@sha256:${asked}`, trustBytes: true };
    expect(await codeWith(plan, options)).toBe("6 hash_mismatch");
  });
});

describe("an answer that is no image", () => {
  const gzipped = { body: gzipSync(BODY), headers: { ...GOOD.headers, "content-encoding": "gzip" } };
  test.each([
    ["not there", { status: 404 }, "7 artifact_absent"],
    ["a refusal without a challenge", { status: 401 }, "4 unauthorized"],
    ["a refusal for good", { status: 403 }, "4 forbidden"],
    ["a failure", { status: 500 }, "13 server_failed"],
    ["an overload", { status: 503 }, "13 server_failed"],
    ["too many requests", { status: 429 }, "13 rate_limited"],
    [
      "a redirect",
      { status: 307, headers: { location: "/v2/org/app/manifests/other" } },
      "10 redirect_refused",
    ],
    ["nothing changed", { status: 304 }, "10 answer_unexpected"],
    ["a proxy's refusal", { status: 407 }, "12 proxy_failed"],
    ["an empty body", { ...GOOD, body: "" }, "6 digest_header_mismatch"],
    [
      "a page",
      { body: "<html>", headers: { "docker-content-digest": `sha256:${sha256Of("<html>")}` } },
      "10 answer_malformed",
    ],
    ["unasked compression", gzipped, "10 answer_unexpected"],
    ["half of it", { ...GOOD, bodyBytes: 20 }, "12 connection_lost"],
    [
      "half of it, its end told by closing",
      { ...GOOD, bodyBytes: 20, framing: "close" },
      "6 digest_header_mismatch",
    ],
    ["more than a manifest may have", { body: " ".repeat(4_194_305) }, "10 answer_too_large"],
    ["no end", { send: "endless" }, "10 answer_too_large"],
    ["nothing", { send: "nothing", then: "stall" }, "12 deadline_passed"],
  ] as const)("%s", async (_what, answer, wanted) => {
    expect(
      await codeWith({ [TAG]: answer }, { attemptTimeoutMs: wanted.startsWith("12 d") ? 100 : 5_000 }),
    ).toBe(wanted);
  });

  test("a failure says that nothing is known of the image", async () => {
    await using server = await scriptedServer({ [TAG]: { status: 502 } });
    expect(await prove(server)).toMatchObject({
      message: `http://127.0.0.1:${server.port}/v2/org/app/manifests/1.0 failed (HTTP 502): an unread registry is not an absent image`,
    });
  });

  test("an image ID is told apart from a digest that is not there", async () => {
    const options = { reference: `@sha256:${CONFIG_HEX}` };
    await using server = await scriptedServer({
      [BLOB.replace("GET", "HEAD")]: { headers: { "content-length": "9" } },
    });
    expect(await prove(server, options)).toMatchObject({
      code: "artifact_absent",
      hint: expect.stringContaining("this looks like an image ID"),
    });
    await using empty = await scriptedServer({});
    expect(await prove(empty, options)).toMatchObject({
      code: "artifact_absent",
      hint: expect.stringContaining("check that the push ended"),
    });
  });
});

describe("a registry that wants a token", () => {
  /** Answers the manifest to the one who has the token. */
  function guarded(realm: string, token = "registry-token", extra = ""): Plan {
    return {
      [TAG]: (request) =>
        request.headers["authorization"] === `Bearer ${token}`
          ? GOOD
          : { status: 401, headers: { "www-authenticate": `Bearer realm="${realm}",service="reg"${extra}` } },
    };
  }
  const ROUTE = "/token?scope=repository%3Aorg%2Fapp%3Apull&service=reg";
  const grant = { body: JSON.stringify({ token: "registry-token" }) };

  test("gets it from the server that it names, for this repository and for reading", async () => {
    await using tokens = await scriptedServer({ [`GET ${ROUTE}`]: grant });
    const scope = ',scope="repository:org/app:push,pull repository:other:pull"';
    await using server = await scriptedServer(guarded(`${tokens.url}/token`, "registry-token", scope));
    expect(await prove(server, { config: login })).toMatchObject({ digest: `sha256:${HEX}` });
    // The login goes to the token server, and not to the registry.
    expect(tokens.requests[0]?.headers["authorization"]).toBe(`Basic ${btoa(`reader:${PASSWORD}`)}`);
    expect(server.requests.map(({ headers }) => headers["authorization"])).toEqual([
      undefined,
      "Bearer registry-token",
    ]);
  });

  test("gets one for nobody when there is no login", async () => {
    await using tokens = await scriptedServer({
      [`GET ${ROUTE}`]: { body: '{"access_token":"registry-token"}' },
    });
    await using server = await scriptedServer(guarded(`${tokens.url}/token`));
    expect(await prove(server)).toMatchObject({ digest: `sha256:${HEX}` });
    expect(tokens.requests[0]?.headers["authorization"]).toBe(undefined);
  });

  test("that is not enough says where a login would be", async () => {
    await using tokens = await scriptedServer({ [`GET ${ROUTE}`]: { body: '{"token":"other-token"}' } });
    await using server = await scriptedServer(guarded(`${tokens.url}/token`));
    expect(await prove(server)).toMatchObject({
      code: "unauthorized",
      hint: expect.stringContaining("--docker-config"),
    });
    expect(server.requests).toHaveLength(2);
  });

  test("gives a login of a web page back as a refresh token", async () => {
    await using tokens = await scriptedServer({
      "POST /token": ({ body }) => {
        expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
          scope: "repository:org/app:pull",
          service: "reg",
          grant_type: "refresh_token",
          refresh_token: "identity-token",
          client_id: "waybill",
        });
        return { body: '{"access_token":"registry-token"}' };
      },
    });
    await using server = await scriptedServer(guarded(`${tokens.url}/token`));
    const config = (host: string): object => ({
      auths: {
        [host]: { auth: btoa("00000000-0000-0000-0000-000000000000:"), identitytoken: "identity-token" },
      },
    });
    expect(await prove(server, { config })).toMatchObject({ digest: `sha256:${HEX}` });
  });

  test.each([
    ["without TLS", "http://tokens.example/token"],
    ["with a login in it", "https://user:pw@tokens.example/token"],
    ["that is no URL", "tokens.example"],
    ["of another kind", "file:///etc/passwd"],
  ])("names a server %s and gets nothing", async (_what, realm) => {
    await using server = await scriptedServer(guarded(realm));
    expect(await prove(server, { config: login })).toMatchObject({ code: "answer_malformed", exitCode: 10 });
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    ["refuses", { status: 401 }, "4 unauthorized"],
    ["forbids", { status: 403 }, "4 unauthorized"],
    ["redirects", { status: 302, headers: { location: "https://evil.example/" } }, "10 redirect_refused"],
    ["fails", { status: 500 }, "13 server_failed"],
    ["sends no token", { body: "{}" }, "10 answer_malformed"],
    ["sends a token that breaks the header", { body: '{"token":"a\\r\\nx: y"}' }, "10 answer_malformed"],
    ["sends a page", { body: "<html>" }, "10 answer_malformed"],
  ] as const)("whose token server %s", async (_what, answer, wanted) => {
    await using tokens = await scriptedServer({ [`GET ${ROUTE}`]: answer });
    expect(await codeWith(guarded(`${tokens.url}/token`), { config: login })).toBe(wanted);
  });

  test("by name and password gets the login of its own host alone", async () => {
    const plan: Plan = {
      [TAG]: ({ headers }) =>
        headers["authorization"] === undefined
          ? { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } }
          : GOOD,
    };
    expect(await codeWith(plan, { config: login })).toBe("proven");
    expect(await codeWith(plan, { config: () => login("other.example") })).toBe("4 unauthorized");
    expect(await codeWith(plan, { config: () => ({ credsStore: "desktop" }) })).toBe("4 unauthorized");
  });

  test("whose login a helper keeps says that none is run", async () => {
    await using server = await scriptedServer({
      [TAG]: { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } },
    });
    const config = (host: string): object => ({ credHelpers: { [host]: "evil-helper" } });
    expect(await prove(server, { config })).toMatchObject({
      hint: expect.stringContaining("credential helper, which waybill does not run"),
    });
  });
});

test("a blob elsewhere is fetched without the registry's token", async () => {
  await using content = await scriptedServer({ "GET /blob?sig=1": { body: CONFIG } });
  await using server = await scriptedServer({
    [TAG]: ({ headers }) =>
      headers["authorization"] === undefined
        ? { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } }
        : GOOD,
    [BLOB]: { status: 307, headers: { location: `${content.url}/blob?sig=1` } },
  });
  const found = await prove(server, { config: login, platforms: ["linux/amd64"] });
  expect(found).toMatchObject({ platforms: ["linux/amd64"] });
  expect(content.requests[0]?.headers["authorization"]).toBe(undefined);
});

test.each([
  ["http://169.254.169.254/x", "10 answer_malformed"],
  ["http://[::1]:1/x", "10 redirect_refused"],
  ["https://10.0.0.1/x", "10 redirect_refused"],
  ["file:///etc/passwd", "10 answer_malformed"],
  ["https://user:pw@content.example/x", "10 answer_malformed"],
])("a blob at %s is not fetched", async (location, wanted) => {
  const plan = { [TAG]: GOOD, [BLOB]: { status: 307, headers: { location } } };
  expect(await codeWith(plan, { platforms: ["linux/amd64"] })).toBe(wanted);
});
