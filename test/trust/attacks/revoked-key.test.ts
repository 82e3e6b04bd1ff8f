import { expect, test } from "bun:test";
import { sha256Of } from "../../../src/base/hashing.ts";
import { distrust } from "../../../src/trust/trusted-key.ts";
import { signersIn } from "../../../src/trust/trust-root-signers.ts";
import { rootKeys } from "../../../src/trust/trust-root.ts";
import { aRoot, trusted } from "../roots.ts";

// Whoever stole the key writes any date into what they sign: nothing about time can make it good again.
const good = sha256Of("an artifact from before");
const other = sha256Of("an artifact of the thief");
const revocation = {
  at: new Date("2026-06-01T00:00:00Z"),
  reason: "stolen",
  stillTrusted: [sha256Of("another one"), good],
};
const key = trusted("ci", { revocation });

test.each(["2020-01-01T00:00:00Z", "2026-05-31T00:00:00Z", "2026-06-02T00:00:00Z"])(
  "is refused at %s",
  (at) => {
    const now = new Date(at);
    expect(distrust(key, "build", { name: "app", sha256: other }, now)?.code).toBe("key_revoked");
    expect(distrust(key, "build", { name: "app", sha256: null }, now)?.code).toBe("key_revoked");
    expect(distrust(key, "build", null, now)?.code).toBe("key_revoked");
    expect(signersIn(aRoot([key]), "build", { name: "app", sha256: other }, now).keys).toEqual([]);
  },
);

test("but for what is listed, in its role and scope", () => {
  const now = new Date("2026-07-01T00:00:00Z");
  expect(distrust(key, "build", { name: "app", sha256: good }, now)).toBeNull();
  expect(distrust(key, "promote", { name: "app", sha256: good }, now)?.code).toBe("key_not_authorised");
});

test("a revoked root key signs no root", () => {
  const root = aRoot([trusted("second", { roles: ["root"], revocation })]);
  expect(rootKeys(root)).toHaveLength(1);
});
