import { sha256Of } from "../../base/hashing.ts";
import type { JsonMap, JsonValue } from "../../base/json.ts";
import type { StoredAssignment } from "./assignment-request.ts";
import { selectorText } from "../hosts/labels.ts";
import type { Package, PackageArtifact } from "./package-request.ts";

/** Where hosts look for a program that was not pushed. */
const INSTALL_PATH = "/usr/local/lib/waybill/bin";

/** One assignment as a host gets it. Without an artifact for its platform the three artifact members are absent. */
export type DeliveredAssignment = {
  readonly addon_id: string;
  readonly version: string;
  readonly enabled: boolean;
  readonly binary_path: string;
  readonly args: readonly string[];
  readonly config_json: JsonMap;
  readonly capabilities: readonly string[];
  readonly delivery: string;
  readonly supervision: string;
  readonly artifact_object_key?: string;
  readonly artifact_sha256?: string;
  readonly artifact_signature?: string;
  readonly artifact_statement?: string;
  readonly target_os: string;
  readonly target_arch: string;
};

/**
 * What a host of this platform runs, by add-on id. Its own assignment wins whole over those for labels that it has, and
 * they over the general one, also to disable it; of two for labels the one that names more, then the one that is
 * spelled first. A pushed package that has nothing for the platform is not delivered: the host could only fail on it.
 */
export function deliver(
  assignments: readonly StoredAssignment[],
  packages: readonly Package[],
  platform: string,
): DeliveredAssignment[] {
  const chosen = new Map<string, StoredAssignment>();
  for (const assignment of assignments) {
    const other = chosen.get(assignment.addon_id);
    if (other === undefined || isNearer(assignment, other)) chosen.set(assignment.addon_id, assignment);
  }
  const published = new Map(packages.map((one) => [`${one.addon_id}@${one.version}`, one]));
  return [...chosen.values()]
    .sort((a, b) => (a.addon_id < b.addon_id ? -1 : 1))
    .flatMap((assignment) => {
      const found = published.get(`${assignment.addon_id}@${assignment.version}`);
      return found === undefined ? [] : deliverOne(assignment, found, platform);
    });
}

function isNearer(one: StoredAssignment, other: StoredAssignment): boolean {
  const [near, far] = [nearness(one), nearness(other)];
  if (near !== far) return near > far;
  return selectorText(one.selector ?? {}) < selectorText(other.selector ?? {});
}

function nearness({ host, selector }: StoredAssignment): number {
  return host === undefined ? Object.keys(selector ?? {}).length : Infinity;
}

function deliverOne(
  assignment: StoredAssignment,
  published: Package,
  platform: string,
): DeliveredAssignment[] {
  const artifact = artifactFor(published, platform);
  if (published.delivery === "pushed_artifact" && artifact === null) return [];
  const [os = "", arch = ""] = platform.split("/");
  return [
    {
      addon_id: assignment.addon_id,
      version: assignment.version,
      enabled: assignment.enabled,
      binary_path: `${INSTALL_PATH}/${published.binary}`,
      args: assignment.args ?? published.args,
      config_json: assignment.config_json ?? published.config_json,
      capabilities: published.capabilities,
      delivery: published.delivery,
      supervision: published.supervision,
      ...artifact,
      target_os: os,
      target_arch: arch,
    },
  ];
}

type ArtifactMembers = Pick<
  DeliveredAssignment,
  "artifact_object_key" | "artifact_sha256" | "artifact_signature" | "artifact_statement"
>;

/** The exact platform or nothing: no aliases, and no reference that lacks its key or its digest. */
function artifactFor(published: Package, platform: string): ArtifactMembers | null {
  const artifact: PackageArtifact | undefined = Object.hasOwn(published.artifacts, platform)
    ? published.artifacts[platform]
    : undefined;
  if (artifact?.object_key === undefined || artifact.sha256 === undefined) return null;
  return {
    artifact_object_key: artifact.object_key,
    artifact_sha256: artifact.sha256,
    ...(artifact.signature === undefined ? {} : { artifact_signature: artifact.signature }),
    ...(artifact.statement === undefined ? {} : { artifact_statement: artifact.statement }),
  };
}

/** What a host is told, as it is sent. */
export type HostConfig = { readonly etag: string; readonly text: string };

/** Changes exactly when the list does; the order of an object's members is not part of it. */
export function configVersion(addons: readonly DeliveredAssignment[]): string {
  return `v${sha256Of(sortedJson(addons))}`;
}

function sortedJson(value: JsonValue): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
