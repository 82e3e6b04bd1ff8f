import { audienceText } from "./audience.ts";
import type { BuildFact, PinFact } from "./board.ts";

/** An add-on's artifact that is published, and for whom: "" is every host, `role=edge` those with a label. */
export type PackageFact = {
  readonly env: string;
  readonly addonId: string;
  readonly version: string;
  readonly platform: string;
  readonly sha256: string;
  readonly audiences: readonly string[];
};

/** A host that says that it has the digest, as a version of an add-on. */
export type RunningFact = {
  readonly env: string;
  readonly host: string;
  readonly addonId: string;
  readonly version: string;
  readonly state: string;
};

/** More boxes than this tell nobody more. */
const MOST_HOSTS = 12;

export const STAGES = ["commit", "build", "digest", "pin", "host"] as const;
export type Stage = (typeof STAGES)[number];

/** One thing on the way of a digest. `key` is its name in the edges; `href` its page, where it has one. */
export type Step = {
  readonly key: string;
  readonly stage: Stage;
  readonly title: string;
  readonly detail: string;
  readonly href: string | null;
  /** Known only by the likeness of a commit, or said to be dirty. */
  readonly doubt: string | null;
};

export type Lineage = {
  readonly steps: readonly Step[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
  /** What should be known on the way and is not, in words. */
  readonly missing: readonly string[];
};

/** From commit to host: everything that is recorded about one digest. Pages are named by the callback. */
export function lineageOf(
  digest: string,
  builds: readonly BuildFact[],
  pins: readonly PinFact[],
  packages: readonly PackageFact[],
  running: readonly RunningFact[],
  hrefOf: (thing: { readonly build: string } | { readonly pin: PinFact } | "hosts") => string,
): Lineage {
  const steps = new Map<string, Step>();
  const edges = new Map<string, { from: string; to: string }>();
  const add = (step: Step): string => {
    if (!steps.has(step.key)) steps.set(step.key, step);
    return step.key;
  };
  const join = (from: string, to: string): void => {
    edges.set(`${from} ${to}`, { from, to });
  };

  const artifact = add({
    key: "digest",
    stage: "digest",
    title: shortDigest(digest),
    detail: "the bytes that run",
    href: null,
    doubt: null,
  });
  const own = builds.filter((build) => build.digest === digest);
  for (const build of own) {
    const doubt =
      build.dirty === true
        ? "from a dirty work tree"
        : build.dirty === null
          ? "nobody knows whether the work tree was clean"
          : null;
    const at = add({
      key: `build ${build.id}`,
      stage: "build",
      title: build.image,
      detail: build.at.slice(0, 16).replace("T", " "),
      href: hrefOf({ build: build.id }),
      doubt,
    });
    join(at, artifact);
    if (build.commit === null) continue;
    const commit = add({
      key: `commit ${build.commit}`,
      stage: "commit",
      title: build.commit.slice(0, 12),
      detail: build.repo ?? "repository not recorded",
      href: null,
      doubt: null,
    });
    join(commit, at);
  }
  for (const pin of pins) {
    const at = add({
      key: `pin ${pin.env} ${pin.template} ${pin.region}`,
      stage: "pin",
      title: `${pin.template} in ${pin.env}`,
      detail: `${pin.region}, by ${pin.by}`,
      href: hrefOf({ pin }),
      doubt: null,
    });
    join(artifact, at);
    if (own.length > 0 || pin.gitSha === null) continue;
    const commit = add({
      key: `commit ${pin.gitSha}`,
      stage: "commit",
      title: pin.gitSha.slice(0, 12),
      detail: "as the promotion said",
      href: null,
      doubt: "no build record ties it to this digest",
    });
    join(commit, artifact);
  }
  for (const one of packages) {
    const at = add({
      key: `package ${one.env} ${one.addonId} ${one.version}`,
      stage: "pin",
      title: `${one.addonId} ${one.version}`,
      detail: `${one.platform} in ${one.env}`,
      href: null,
      doubt: null,
    });
    join(artifact, at);
    for (const audience of one.audiences) {
      // Whoever has it is shown as having it.
      if (running.some(({ env, host }) => env === one.env && host === audience)) continue;
      join(
        at,
        add({
          key: `host ${audience}`,
          stage: "host",
          title: audienceText(audience),
          detail: "assigned",
          href: hrefOf("hosts"),
          doubt: null,
        }),
      );
    }
  }
  for (const [at, one] of running.entries()) {
    const published = `package ${one.env} ${one.addonId} ${one.version}`;
    const rest = running.length - MOST_HOSTS;
    const shown = at < MOST_HOSTS;
    join(
      steps.has(published) ? published : artifact,
      add({
        key: shown ? `runs ${one.env} ${one.host}` : "runs more",
        stage: "host",
        title: shown ? one.host : `${rest} more hosts`,
        detail: shown ? `has it, ${one.state.replaceAll("_", " ")}` : "say that they have it",
        href: hrefOf("hosts"),
        doubt: null,
      }),
    );
  }
  return {
    steps: [...steps.values()],
    edges: [...edges.values()],
    missing: missingFrom(own, pins, packages),
  };
}

function missingFrom(
  builds: readonly BuildFact[],
  pins: readonly PinFact[],
  packages: readonly PackageFact[],
): string[] {
  const missing: string[] = [];
  if (builds.length === 0)
    missing.push("no build record names this digest: what it was built from is not proven here");
  else if (builds.every(({ commit }) => commit === null)) missing.push("its build record names no commit");
  if (pins.length === 0 && packages.length === 0)
    missing.push("nothing here is pinned to it, and no add-on has it");
  return missing;
}

export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/u, "").slice(0, 12);
}
