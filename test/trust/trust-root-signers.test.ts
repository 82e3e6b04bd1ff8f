import { describe, expect, test } from "bun:test";
import { sha256Of } from "../../src/base/hashing.ts";
import { signersIn } from "../../src/trust/trust-root-signers.ts";
import type { Subject } from "../../src/trust/trusted-key.ts";
import { aRoot, keyOf, trusted } from "./roots.ts";

const now = new Date("2026-11-21T08:00:00Z");
const app: Subject = { name: "app", sha256: sha256Of("app") };
const roles = ["capture"];
const root = aRoot(
  [
    trusted("ci", { roles, scopes: ["app"] }),
    trusted("all", { roles: null }),
    trusted("old", { roles, validUntil: new Date(now.getTime() - 1) }),
    trusted("ssh", { roles, namespaces: ["git", "file"] }),
    trusted("lost", { roles, namespaces: ["git"], revocation: { at: now, reason: null, stillTrusted: [] } }),
  ],
  { thresholds: { capture: 2 } },
);

type Signers = { readonly keys: string[]; readonly threshold: number; readonly distrusted: string[] };
function signers(role: string, subject: Subject | null): Signers {
  const found = signersIn(root, role, subject, now);
  const nameOf = (keyid: string): string =>
    root.keys.find(({ key }) => key.keyid === keyid)?.name ?? "nobody";
  return {
    keys: found.keys.map(({ keyid }) => nameOf(keyid)),
    threshold: found.threshold,
    distrusted: found.distrusted.map(({ key, why }) => `${nameOf(key.keyid)}: ${why.code}`),
  };
}

describe("whose signatures on a statement count", () => {
  const never = ["old: key_expired", "ssh: key_not_authorised", "lost: key_revoked"];

  test("are those of the role, for what they may sign, and never a key that is for OpenSSH alone", () => {
    const others = ["root: key_not_authorised", ...never];
    expect(signers("capture", app)).toEqual({ keys: ["ci", "all"], threshold: 2, distrusted: others });
    expect(signers("capture", null)).toEqual({ keys: ["ci", "all"], threshold: 2, distrusted: others });
    expect(signers("capture", { ...app, name: "lib" })).toEqual({
      keys: ["all"],
      threshold: 2,
      distrusted: ["root: key_not_authorised", "ci: key_not_authorised", ...never],
    });
  });

  test("are one in a role that asks for no more", () => {
    const { keys, threshold, distrusted } = signers("build", app);
    expect([keys, threshold]).toEqual([["all"], 1]);
    expect(distrusted).toHaveLength(root.keys.length - 1);
  });

  test("a key for OpenSSH is told where it counts", () => {
    const { distrusted } = signersIn(root, "capture", app, now);
    expect(distrusted.find(({ key }) => key === keyOf("ssh").publicKey)?.why.message).toBe(
      'key "ssh" is not trusted outside of OpenSSH signatures, only in namespace git, file',
    );
  });
});
