import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readLock } from "./packages.ts";
import { sha256Of, type Source } from "./source.ts";
import { ROOT, TABLE, type Target } from "./targets.ts";

export const PROVENANCE_TYPE = "https://slsa.dev/provenance/v1";

/**
 * The predicate of SLSA Provenance v1 for one target. Only what release/build itself saw and did: the commit, the
 * lock, the base executable. Who ran it is said by the signature, and by nothing in here.
 */
export function provenance(source: Source, target: Target, draft: boolean): string {
  const name = `@oven/bun-${target.bun}`;
  const integrity = readLock().packages[name]?.[3] ?? "";
  const predicate = {
    buildDefinition: {
      buildType: "urn:waybill:release-build:v1",
      externalParameters: { version: source.version, target: target.name, draft },
      internalParameters: { source_date_epoch: source.epoch },
      resolvedDependencies: [
        { name: "source", digest: { gitCommit: source.commit } },
        { name: "bun.lock", digest: { sha256: sha256Of(readFileSync(join(ROOT, "bun.lock"))) } },
        {
          name: "base package",
          uri: `pkg:npm/${name.replace("@", "%40")}@${TABLE.bun}`,
          digest: { sha512: Buffer.from(integrity.replace(/^sha512-/u, ""), "base64").toString("hex") },
        },
        { name: "base executable", digest: { sha256: target.base_sha256 } },
      ],
    },
    runDetails: { builder: { id: "urn:waybill:release-build" } },
  };
  return `${JSON.stringify(predicate, null, 2)}\n`;
}
