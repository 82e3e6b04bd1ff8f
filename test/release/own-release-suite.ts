import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { jsonOf, runProgram, runWaybill } from "../support/binary.ts";
import { startControlPlane } from "../support/control-plane.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { BINARY_NAME, built, CAN_BUILD, sha256, VERSION } from "./built.ts";

setDefaultTimeout(240_000);

/** The chain that waybill is for, with waybill itself as what is carried. */
describe.skipIf(!CAN_BUILD)("waybill carries itself", () => {
  test("captured, attested, promoted under a policy, verified, staged on a host and run", async () => {
    const { folder, key, checkout } = await built();
    using place = temporaryFolder();
    const plane = await startControlPlane({ data: place.at("plane") });
    try {
      const pins = await plane.token(["pins:read", "pins:write"], "prod");
      const fleet = await plane.token(["addons:read", "addons:write"], "prod");
      const inside = { cwd: place.path, env: { PINS: pins, FLEET: fleet } };
      const ok = async (...args: string[]): Promise<Record<string, unknown>> => {
        const finished = await runWaybill([...args, "--json"], inside);
        expect([args.slice(0, 2), finished.code, finished.stderr]).toEqual([
          args.slice(0, 2),
          0,
          expect.any(String),
        ]);
        return jsonOf(finished);
      };
      // The sources that the release names are the ones that were captured.
      const capture = join(folder, `waybill-${VERSION}-capture.json`);
      const archive = join(folder, `waybill-${VERSION}-source.tar.gz`);
      await ok("verify", "source", archive, "--capture", capture);
      await ok(
        "verify",
        "attestation",
        `${archive}.sigstore.json`,
        "--subject",
        archive,
        "--key",
        `${key}.pub`,
      );
      expect(checkout).not.toBe("");

      const digest = `sha256:${sha256(join(folder, BINARY_NAME))}`;
      await ok("attest", digest, "--capture", capture, "--key", key, "--out", "binary.sigstore.json");
      const policy = {
        schema: "waybill.policy/v1",
        name: "waybill",
        version: 1,
        issued_at: new Date(Date.now() - 60_000).toISOString(),
        expires_at: new Date(Date.now() + 3_600_000).toISOString(),
        rules: [{ name: "released from a commit", clean: true, matches_commit: true }],
      };
      writeFileSync(place.at("policy.json"), JSON.stringify(policy));
      await ok("policy", "sign", "policy.json", "--key", key);
      const target = ["--template", "waybill", "--digest", digest, "--target", `prod=${plane.address}`];
      const reach = ["--token-env", "prod=PINS", "--allow-insecure-http"];
      const evidence = [
        "--attestation",
        "binary.sigstore.json",
        "--key",
        `${key}.pub`,
        "--policy",
        "policy.signed.json",
      ];
      const promoted = await ok("promote", ...target, ...reach, ...evidence);
      expect(promoted["legs"]).toMatchObject([{ env: "prod", outcome: "landed" }]);
      expect(await ok("verify", "pin", ...target, ...reach)).toMatchObject({ checked: 1 });

      const assign = ["--url", plane.address, "--token-env", "FLEET", "--assign", "--allow-insecure-http"];
      const what = ["--id", "waybill", "--version", VERSION, "--binary", "waybill", "--key", key];
      await ok("addon", "publish", join(folder, BINARY_NAME), ...what, ...assign);
      const staged = await ok(
        "addon-stage",
        "--assignments",
        `${plane.address}/v1/addons/assignments`,
        "--token-env",
        "FLEET",
        "--store",
        `${plane.address}/v1/artifacts`,
        "--store-token-env",
        "FLEET",
        "--root",
        "host",
        "--key",
        `${key}.pub`,
        "--allow-insecure-http",
      );
      expect(staged["addons"]).toMatchObject([{ addon_id: "waybill", outcome: "staged", digest }]);
      const running = place.at("host/addons/waybill/current/waybill");
      expect(jsonOf(await runProgram([running, "version", "--json"]))["version"]).toBe(VERSION);
    } finally {
      await plane.stop();
    }
  });
});
