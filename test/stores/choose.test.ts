import { describe, expect, test } from "bun:test";
import { chooseStore, tokenHost } from "../../src/stores/choose.ts";
import { sourcesOf } from "../../src/stores/sources.ts";
import { choiceWith } from "./reading.ts";

const choice = choiceWith({ allowInsecureHttp: false });

const taken: [string, string][] = [
  ["file:artifacts", "file:/work/artifacts"],
  ["file:/mnt/x", "file:/mnt/x"],
  ["file:///mnt/x%20y", "file:/mnt/x y"],
  ["https://store.example.com/a", "https://store.example.com/a"],
  ["s3://bucket", "s3://bucket"],
  ["s3://bucket/a/b/", "s3://bucket/a/b"],
  ["s3://my.bucket/a?style=path", "s3://my.bucket/a"],
  ["oci://registry.example.com:5000/a/b:1.0", "oci://registry.example.com:5000/a/b:1.0"],
  [`oci://ghcr.io/a/b@sha256:${"a".repeat(64)}`, `oci://ghcr.io/a/b@sha256:${"a".repeat(64)}`],
  ["oci://docker.io/debian:12", "oci://registry-1.docker.io/library/debian:12"],
  ["nats://nats.example.com/bucket", "nats://nats.example.com/bucket"],
  ["nats://nats.example.com:4223/bucket/a", "nats://nats.example.com:4223/bucket/a"],
];
test.each(taken)("%p", (text, name) => {
  expect(chooseStore(text, undefined, choice).name).toBe(name);
});

const refused: [string, string][] = [
  ["", "invalid_value"],
  ["/mnt/x", "invalid_value"],
  ["file:", "invalid_value"],
  ["file://host/x", "url_invalid"],
  ["s3://", "url_invalid"],
  ["s3://Bucket", "url_invalid"],
  ["s3://bucket?style=odd", "url_invalid"],
  ["s3://user@bucket/x", "url_invalid"],
  ["s3://bucket/../other", "unsafe_path"],
  ["oci://registry", "url_invalid"],
  ["oci://registry/UPPER", "url_invalid"],
  ["oci://registry/a:b:c", "url_invalid"],
  ["oci://registry/a@sha256:abc", "url_invalid"],
  [`oci://registry/a@sha512:${"a".repeat(128)}`, "url_invalid"],
  ["oci://user:word@registry/a", "url_invalid"],
  ["nats://host", "url_invalid"],
  ["nats://user:word@host/b", "url_invalid"],
  ["nats://host/b/../c", "unsafe_path"],
  ["nats://127.0.0.1/b?x", "url_invalid"],
  ["ftp://host/x", "invalid_value"],
  ["http://127.0.0.1/x", "url_invalid"],
  ["https://user@host/x", "url_invalid"],
  ["https://host/x?token=1", "url_invalid"],
];
test.each(refused)("refused: %p", (text, code) => {
  expect(() => chooseStore(text, undefined, choice)).toThrow(expect.objectContaining({ code }));
});

test("a digest of another algorithm is named as such", () => {
  expect(() => chooseStore(`oci://registry/a@sha512:${"a".repeat(128)}`, undefined, choice)).toThrow(
    "a sha512 digest",
  );
});

describe("S3 variables", () => {
  const cases: [string, Record<string, string>, string][] = [
    ["half a credential", { AWS_ACCESS_KEY_ID: "AK" }, "credential_missing"],
    ["the other half", { AWS_SECRET_ACCESS_KEY: "SK" }, "credential_missing"],
    ["an endpoint without TLS", { AWS_ENDPOINT_URL: "http://minio.example.com" }, "url_invalid"],
    ["a region that is none", { AWS_REGION: "eu west" }, "invalid_value"],
  ];
  test.each(cases)("%s", (_name, environment, code) => {
    expect(() => chooseStore("s3://bucket", undefined, choiceWith({ environment }))).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

test("a token has a host to go to, or none", () => {
  expect(
    ["https://A.example:8443/x", "oci://r:5000/a:1", "nats://n/b", "file:x", "s3://b"].map(tokenHost),
  ).toEqual(["a.example:8443", "r:5000", "n", null, null]);
});

describe("references", () => {
  const names = (key: string, downloadUrl = ""): string[] => {
    const stores = [
      chooseStore("file:a", undefined, choice),
      chooseStore("https://b.example", undefined, choice),
    ];
    return sourcesOf({ key, downloadUrl, downloadToken: "t" }, stores, choice).map(({ name }) => name);
  };
  test("a name is looked for in every store, in their order", () => {
    expect(names("x")).toEqual(["file:/work/a", "https://b.example/"]);
  });
  test("a URL stands for itself, and its query in no message", () => {
    expect(names("https://c.example/x?signature=1")).toEqual(["https://c.example/x"]);
  });
  test("the gateway comes first", () => {
    expect(names("x", "https://gate.example/d?id=1")).toEqual([
      "https://gate.example/d",
      "file:/work/a",
      "https://b.example/",
    ]);
    expect(names("", "https://gate.example/d")).toEqual(["https://gate.example/d"]);
  });
  const bad: [string, string][] = [
    ["http://169.254.169.254/latest", "url_invalid"],
    ["http://example.com/x", "url_invalid"],
    ["https://user:word@example.com/x", "url_invalid"],
    ["s3://Bad/x", "url_invalid"],
    ["gopher://x/y", "object_store_unavailable"],
    ["file://host/x", "url_invalid"],
  ];
  test.each(bad)("%p is refused", (key, code) => {
    expect(() => names(key)).toThrow(expect.objectContaining({ code }));
  });
  test("a name without a store", () => {
    expect(() => sourcesOf({ key: "a", downloadUrl: "", downloadToken: "" }, [], choice)).toThrow(
      expect.objectContaining({ code: "object_store_unavailable" }),
    );
  });
});
