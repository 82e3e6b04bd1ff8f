import { describe, expect, test } from "bun:test";
import { basename } from "node:path";
import { isSecret, mayBeSecret, suspicionOf } from "../../src/context/secret-files.ts";

const KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n";

type Case = readonly [path: string, content: string, kind: string | null];

const CASES: readonly Case[] = [
  [".env", "", "env_file"],
  ["app/.env.production", "A=1", "env_file"],
  [".env.example", "A=1", null],
  [".env.production.sample", "A=1", null],
  ["environment", "A=1", null],
  ["app.env.ts", "A=1", null],
  ["id_rsa", KEY, "private_key"],
  ["id_rsa.pub", "ssh-rsa AAAA", null],
  ["tls/server.key", "-----BEGIN RSA PRIVATE KEY-----", "private_key"],
  ["tls/server.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----", "private_key"],
  ["tls/server.pem", "-----BEGIN CERTIFICATE-----", null],
  ["tls/server.pem", "\n-----BEGIN EC PRIVATE KEY-----", "private_key"],
  ["id_rsa", `\ufeff${KEY}`, "private_key"],
  ["a.ppk", "PuTTY-User-Key-File-3: ssh-ed25519", "private_key"],
  ["a.asc", "-----BEGIN PGP PRIVATE KEY BLOCK-----", "private_key"],
  ["my-secret-file", KEY, "private_key"],
  ["src/private.ts", "export const x = 1;", null],
  ["keys/age.key", "AGE-SECRET-KEY-1ABC", "private_key"],
  ["minisign.key", "untrusted comment: minisign encrypted secret key", "private_key"],
  [".npmrc", "//registry.example.com/:_authToken=npm_abc", "npm_token"],
  ["app/.npmrc", "//registry.example.com/:_authToken=${NPM_TOKEN}", null],
  [".npmrc", "registry=https://registry.example.com", null],
  [".yarnrc.yml", 'npmAuthToken: "npm_abc"', "npm_token"],
  [".yarnrc.yml", 'npmAuthToken: "${NPM_TOKEN}"', null],
  [".kube/config", "users:\n- name: a\n  user:\n    token: abc", "kube_config"],
  [".kube/config", "users:\n- name: a\n  user:\n    exec: {}", null],
  ["gcp-service-account.json", '{"private_key": "-----BEGIN"}', "service_account"],
  ["application_default_credentials.json", '{"refresh_token": "1//"}', "service_account"],
  ["credentials.json", '{"items": []}', null],
  [".pypirc", "[pypi]\nusername = a\npassword = b", "pypi_password"],
  [".pypirc", "[pypi]\nusername = a\n", null],
  [".aws/credentials", "", "aws_credentials"],
  ["home/.netrc", "", "netrc"],
  [".git-credentials", "", "git_credentials"],
  [".git/config", '[remote "origin"]\n\turl = https://user:token@example.com/a', "git_credentials"],
  [".git/config", '[remote "origin"]\n\turl = https://example.com/a', null],
  [".git/config", "\textraheader = AUTHORIZATION: basic abc", "git_credentials"],
  [".git/modules/sub/config", "url = https://:token@example.com/a", "git_credentials"],
  [".docker/config.json", '{"auths":{"x":{"auth":"YTpi"}}}', "docker_auth"],
  [".docker/config.json", '{"auths":{}}', null],
];

/** One name for each way to be looked at: none of them may be lost at the first glance. */
const LOOKED_AT = [
  ...[".env", "_netrc", ".netrc", ".aws/credentials", ".git-credentials", ".git/config", ".npmrc", ".pypirc"],
  ...[".docker/config.json", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ed25519_sk", "ID_RSA"],
  ...["pem", "key", "p8", "pk8", "ppk", "priv", "asc", "gpg", "age", "PEM"].map((ending) => `name.${ending}`),
  ...["private", "secret", "identity", "signing", "Secret"].map((word) => `my-${word}-file`),
];

test.each(LOOKED_AT)("%s is named like a secret", (name) => {
  expect([name, `app/${name}`].map((path) => suspicionOf(path) !== null)).toEqual([true, true]);
  expect(mayBeSecret(basename(name))).toBe(true);
});

describe("a file", () => {
  test.each(CASES)("%s with %j is %s", (path, content, kind) => {
    const suspicion = suspicionOf(path);
    const found = suspicion !== null && isSecret(suspicion, Buffer.from(content)) ? suspicion.kind : null;
    expect(found as string | null).toBe(kind);
  });
});
