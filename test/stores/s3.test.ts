import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { chooseStore, type StoreChoice } from "../../src/stores/choose.ts";
import { sourcesOf } from "../../src/stores/sources.ts";
import { scriptedServer } from "../support/scripted-server.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";
import { HAS_CEPH, startCeph, type Ceph } from "./ceph.ts";
import { choiceWith, codeOf, downloadOf, reading } from "./reading.ts";
import { KEYS, s3Server, type S3Server } from "./s3-server.ts";

const BYTES = randomBytes(2_000_000);
const ODD = "app/a b+c%2F~(1)'!*é/x.tar.gz";
const VARIABLES = {
  AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
  AWS_REGION: "us-east-1",
};

let folder: TemporaryFolder;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder[Symbol.dispose]());

async function fetched(
  endpoint: string,
  key: string,
  store = "s3://addons/app",
  more: Record<string, string | undefined> = {},
  wanted: Uint8Array = BYTES,
): Promise<void> {
  const environment = { ...VARIABLES, AWS_ENDPOINT_URL_S3: endpoint, ...more };
  const choice: StoreChoice = choiceWith({ environment });
  const path = folder.at(`part-${randomBytes(4).toString("hex")}`);
  const sources = sourcesOf(
    { key, downloadUrl: "", downloadToken: "" },
    [chooseStore(store, undefined, choice)],
    choice,
  );
  await downloadOf(wanted, sources, path, { retryBudgetMs: 0 });
  expect(readFileSync(path).equals(Buffer.from(wanted))).toBe(true);
}

async function resumes(endpoint: string): Promise<void> {
  const choice = choiceWith({ environment: { ...VARIABLES, AWS_ENDPOINT_URL_S3: endpoint } });
  const store = chooseStore("s3://addons", undefined, choice);
  const read = reading("app/1.0", { maxBytes: 9_000_000 });
  const { validator } = await store.open(read);
  if (validator === null) throw new Error("no validator");
  const rest = await store.open({ ...read, resume: { offset: 1_500_000, validator } });
  expect([rest.offset, rest.length]).toEqual([1_500_000, 2_000_000]);
  const changed = await store.open({
    ...read,
    resume: { offset: 1_500_000, validator: { kind: "etag", text: '"other"' } },
  });
  expect(changed.offset).toBe(0);
}

const refusals: [string, string, Record<string, string | undefined>, string][] = [
  ["a key that is not there", "2.0", {}, "not_found"],
  ["a key that leads out of the prefix", "../other", {}, "unsafe_path"],
  ["a wrong secret", "1.0", { AWS_SECRET_ACCESS_KEY: "another-secret" }, "unauthorized"],
  ["an unknown key id", "1.0", { AWS_ACCESS_KEY_ID: "XX" }, "unauthorized"],
  [
    "no credential where one is wanted",
    "1.0",
    { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
    "forbidden",
  ],
];

describe("an S3 server", () => {
  let server: S3Server;
  beforeAll(() => {
    server = s3Server(
      new Map([
        ["app/1.0", BYTES],
        [encodedLikeAws(ODD), BYTES],
      ]),
    );
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("gives an object", async () => {
    // Tests run in any order.
    server.seen.length = 0;
    await fetched(server.url, "1.0");
    await fetched(server.url, "app/1.0", "s3://addons");
    await fetched(server.url, "s3://addons/app/1.0", "s3://other");
    expect(server.seen).toEqual(["/addons/app/1.0", "/addons/app/1.0", "/addons/app/1.0"]);
  });
  test("each character of a key arrives as it is", () => fetched(server.url, ODD, "s3://addons"));
  test("goes on with a range", () => resumes(server.url));
  test.each(refusals)("%s", async (_name, key, variables, code) => {
    expect(await codeOf(fetched(server.url, key, undefined, variables))).toBe(code);
  });
  test("a bucket that is not there", async () => {
    expect(await codeOf(fetched(server.url, "1.0", "s3://other"))).toBe("not_found");
  });
  test("a bucket in the host name", async () => {
    // A name below localhost leads to this machine; the store is the first part of it.
    await using named = await scriptedServer({});
    const endpoint = named.url.replace("127.0.0.1", "localhost");
    const code = await codeOf(fetched(endpoint, "1.0", "s3://addons/app?style=virtual"));
    expect(["not_found", "name_not_resolved"]).toContain(code);
    if (code === "not_found")
      expect(named.requests[0]?.headers["host"]).toBe(`addons.localhost:${named.port}`);
  });
});

describe("what an S3 server says", () => {
  const said: [string, number, string, Record<string, string>, string][] = [
    ["SlowDown", 503, "SlowDown", {}, "server_failed"],
    ["a clock that is wrong", 403, "RequestTimeTooSkewed", {}, "unauthorized"],
    ["a session that is over", 400, "ExpiredToken", {}, "unauthorized"],
    ["another region", 301, "PermanentRedirect", { "x-amz-bucket-region": "eu-west-1" }, "redirect_refused"],
    ["nothing that can be read", 403, "<script>", {}, "forbidden"],
  ];
  test.each(said)("%s", async (_name, status, code, headers, wanted) => {
    await using server = await scriptedServer({});
    const body = `<Error><Code>${code}</Code><Message>${KEYS.secretAccessKey}</Message></Error>`;
    const answering = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => new Response(body, { status, headers }),
    });
    try {
      const url = `http://127.0.0.1:${answering.port}`;
      expect(await codeOf(fetched(url, "1.0"))).toBe(wanted);
      expect(server.connections()).toBe(0);
    } finally {
      await answering.stop(true);
    }
  });
});

describe.skipIf(!HAS_CEPH || process.env["WAYBILL_FULL"] === undefined)("a real Ceph gateway", () => {
  let ceph: Ceph;
  beforeAll(async () => {
    ceph = await startCeph(folder);
    await ceph.put("app/1.0", BYTES);
    await ceph.put(encodedLikeAws(ODD), BYTES);
  }, 120_000);
  afterAll(() => ceph[Symbol.asyncDispose](), 30_000);

  test("gives an object", () => fetched(ceph.url, "1.0"));
  test("each character of a key arrives as it is", () => fetched(ceph.url, ODD, "s3://addons"));
  test("goes on with a range, unless the object changed", () => resumes(ceph.url));
  test.each(refusals)("%s", async (_name, key, variables, code) => {
    expect(await codeOf(fetched(ceph.url, key, undefined, variables))).toBe(code);
  });
  test("a bucket that is not there", async () => {
    expect(await codeOf(fetched(ceph.url, "1.0", "s3://other"))).toBe("not_found");
  });
  test("other bytes", async () => {
    expect(await codeOf(fetched(ceph.url, "1.0", undefined, {}, Buffer.from("other")))).toBe("hash_mismatch");
  });
});

function encodedLikeAws(key: string): string {
  const strict = (text: string): string =>
    text.replace(/[!'()*]/gu, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  return key
    .split("/")
    .map((part) => strict(encodeURIComponent(part)))
    .join("/");
}
