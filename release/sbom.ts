import { runtimeLibraries, type InnerPackage } from "./packages.ts";
import { sha256Of, type Source } from "./source.ts";
import { TABLE } from "./targets.ts";

/** CycloneDX 1.6: what is inside, by bun.lock, and the runtime that is around it. The same source, the same bytes. */
export function sbom(source: Source, packages: readonly InnerPackage[]): string {
  const purl = (name: string, version: string): string =>
    `pkg:npm/${name.startsWith("@") ? `%40${name.slice(1)}` : name}@${version}`;
  const refs = new Map(packages.map(({ name, version }) => [name, purl(name, version)]));
  const self = `pkg:generic/waybill@${source.version}`;
  const runtime = `pkg:generic/bun@${TABLE.bun}`;
  const components = [
    {
      type: "platform",
      "bom-ref": runtime,
      name: "bun",
      version: TABLE.bun,
      purl: runtime,
      licenses: [{ license: { id: "MIT" } }],
      description: "the runtime; its base executables are pinned by digest in targets.json",
      components: runtimeLibraries().map(({ name, licence }) => ({
        type: "library",
        name,
        licenses: [{ license: { name: licence } }],
      })),
    },
    ...packages.map(({ name, version, licence, sha512 }) => ({
      type: "library",
      "bom-ref": purl(name, version),
      name,
      version,
      purl: purl(name, version),
      licenses: [{ license: { id: licence } }],
      hashes: [{ alg: "SHA-512", content: Buffer.from(sha512, "base64").toString("hex") }],
    })),
  ];
  const body = {
    version: 1,
    metadata: {
      timestamp: source.builtAt,
      component: {
        type: "application",
        "bom-ref": self,
        name: "waybill",
        version: source.version,
        licenses: [{ license: { id: "Apache-2.0" } }],
        properties: [{ name: "waybill:commit", value: source.commit }],
      },
    },
    components,
    dependencies: [
      { ref: self, dependsOn: [runtime, ...refs.values()] },
      { ref: runtime, dependsOn: [] },
      ...packages.map(({ name, version, dependencies }) => ({
        ref: purl(name, version),
        dependsOn: dependencies.flatMap((one) => refs.get(one) ?? []),
      })),
    ],
  };
  // A serial number of its own for each content, and the same for the same one.
  const hex = sha256Of(JSON.stringify(body));
  const serial = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${serial}`,
    ...body,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
