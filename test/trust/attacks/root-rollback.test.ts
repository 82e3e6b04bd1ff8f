import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatEnvelope } from "../../../src/trust/dsse.ts";
import { succeed } from "../../../src/trust/trust-root-succession.ts";
import { loadRisingRoot, updateTrustRoot } from "../../../src/trust/trust-root-file.ts";
import { inFolder } from "../run-waybill.ts";
import { refusalOf } from "../refusal.ts";
import { aRoot, envelopeOf, signedRoot, trusted } from "../roots.ts";

// An old root is well signed and trusts the key that was revoked since.
const now = new Date("2026-11-21T00:00:00Z");
const ci = trusted("ci");
const revocation = { at: now, reason: null, stillTrusted: [] };
const old = aRoot([ci], { version: 1 });
const current = aRoot([{ ...ci, revocation }], { version: 2 });
const twin = aRoot([ci], { version: 2 });

test("an older version is refused, and another one of the same version", () => {
  const held = signedRoot(current, ["root"]);
  for (const root of [old, twin]) {
    const refusal = refusalOf(() => succeed(held, envelopeOf(root, ["root"]), "the new root", now));
    expect([refusal.code as string, refusal.exitCode]).toEqual(["trust_root_rollback", 6]);
  }
  expect(succeed(held, envelopeOf(current, ["root"]), "the same", now)).toBeNull();
  expect(succeed(signedRoot(old, ["root"]), envelopeOf(current, ["root"]), "newer", now)?.root.version).toBe(
    2,
  );
});

test("in files: the held one stays, and a state file remembers the newest", async () => {
  await inFolder((folder) => {
    const write = (name: string, root: typeof old): string => {
      writeFileSync(join(folder, name), formatEnvelope(envelopeOf(root, ["root"])));
      return join(folder, name);
    };
    const [held, before, other] = [write("held", current), write("old", old), write("twin", twin)];
    expect(refusalOf(() => updateTrustRoot(held, before, now)).code).toBe("trust_root_rollback");
    expect(updateTrustRoot(held, held, now)).toBeNull();

    const state = join(folder, "state");
    expect(loadRisingRoot(before, state).root.version).toBe(1);
    expect(loadRisingRoot(held, state).root.version).toBe(2);
    for (const file of [before, other])
      expect(refusalOf(() => loadRisingRoot(file, state)).code).toBe("trust_root_rollback");
    expect(loadRisingRoot(held, state).root.version).toBe(2);
  });
});

test("a state file that somebody emptied does not start anew", async () => {
  await inFolder((folder) => {
    writeFileSync(join(folder, "root"), formatEnvelope(envelopeOf(old, ["root"])));
    for (const text of ["", "{}", '{"schema":"waybill.trust-seen/v2","version":1,"sha256":""}']) {
      writeFileSync(join(folder, "state"), text);
      const refusal = refusalOf(() => loadRisingRoot(join(folder, "root"), join(folder, "state")));
      expect(refusal.code).toBe("config_invalid");
    }
  });
});
