import { audienceText } from "./audience.ts";
import type { BuildFact, PinFact } from "./board.ts";

/** An add-on's artifact that is published, and for whom: "" is every host, `role=edge` those with a label. */
export type PackageFact = {
  readonly env: string;
  readonly addonId: string;
  readonly version: string;
  readonly platform: string;
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
const MOST_PINS = 24;

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

/** Names the page of a thing. */
type HrefOf = (thing: { readonly build: string } | { readonly pin: PinFact } | "hosts") => string;

/** From commit to host: everything that is recorded about one digest. */
export function lineageOf(
  digest: string,
  builds: readonly BuildFact[],
  pins: readonly PinFact[],
  packages: readonly PackageFact[],
  running: readonly RunningFact[],
  hrefOf: HrefOf,
): Lineage {
  const way = new Way(digest, hrefOf);
  const own = builds.filter((build) => build.digest === digest);
  for (const build of own) way.addBuild(build);
  for (const pin of pins.slice(0, MOST_PINS)) way.addPin(pin, own.length > 0);
  if (pins.length > MOST_PINS) way.addMorePins(pins.length - MOST_PINS);
  for (const one of packages) {
    way.addPackage(one);
    for (const audience of one.audiences) {
      // Whoever has it is shown as having it.
      if (running.some(({ env, host }) => env === one.env && host === audience)) continue;
      way.addAudience(one, audience);
    }
  }
  for (const one of running.slice(0, MOST_HOSTS)) {
    const detail = `has it, ${one.state.replaceAll("_", " ")}`;
    way.addRunning(one, `runs ${one.env} ${one.host}`, one.host, detail);
  }
  // One step for all the others.
  const rest = running.slice(MOST_HOSTS);
  for (const one of rest) {
    way.addRunning(one, "runs more", `${rest.length} more hosts`, "say that they have it");
  }
  return { steps: way.steps, edges: way.edges, missing: missingFrom(own, pins, packages) };
}

/** The steps around one digest, each once, and how they hang together. */
class Way {
  readonly #steps = new Map<string, Step>();
  readonly #edges = new Map<string, { from: string; to: string }>();
  readonly #hrefOf: HrefOf;

  constructor(digest: string, hrefOf: HrefOf) {
    this.#hrefOf = hrefOf;
    this.#add(DIGEST, "digest", shortDigest(digest), "the bytes that run");
  }

  get steps(): Step[] {
    return [...this.#steps.values()];
  }

  get edges(): { from: string; to: string }[] {
    return [...this.#edges.values()];
  }

  addBuild(build: BuildFact): void {
    const at = `build ${build.id}`;
    const when = build.at.slice(0, 16).replace("T", " ");
    this.#add(at, "build", build.image, when, this.#hrefOf({ build: build.id }), doubtOf(build));
    this.#join(at, DIGEST);
    if (build.commit === null) return;
    const commit = `commit ${build.commit}`;
    this.#add(commit, "commit", build.commit.slice(0, 12), build.repo ?? "repository not recorded");
    this.#join(commit, at);
  }

  /** The commit of its promotion is shown when no build tells of one. */
  addPin(pin: PinFact, hasBuild: boolean): void {
    const { env, template, region, gitSha } = pin;
    const at = `pin ${env} ${template} ${region}`;
    this.#add(at, "pin", `${template} in ${env}`, `${region}, by ${pin.by}`, this.#hrefOf({ pin }));
    this.#join(DIGEST, at);
    if (hasBuild || gitSha === null) return;
    const commit = `commit ${gitSha}`;
    const doubt = "no build record ties it to this digest";
    this.#add(commit, "commit", gitSha.slice(0, 12), "as the promotion said", null, doubt);
    this.#join(commit, DIGEST);
  }

  /** One step for all the others. */
  addMorePins(count: number): void {
    this.#add("more pins", "pin", `${count} more pins`, "of the same digest");
    this.#join(DIGEST, "more pins");
  }

  addPackage(one: PackageFact): void {
    this.#add(packageKey(one), "pin", `${one.addonId} ${one.version}`, `${one.platform} in ${one.env}`);
    this.#join(DIGEST, packageKey(one));
  }

  addAudience(one: PackageFact, audience: string): void {
    const at = `host ${audience}`;
    this.#add(at, "host", audienceText(audience), "assigned", this.#hrefOf("hosts"));
    this.#join(packageKey(one), at);
  }

  addRunning(one: RunningFact, key: string, title: string, detail: string): void {
    this.#add(key, "host", title, detail, this.#hrefOf("hosts"));
    this.#join(this.#steps.has(packageKey(one)) ? packageKey(one) : DIGEST, key);
  }

  #add(
    key: string,
    stage: Stage,
    title: string,
    detail: string,
    href: string | null = null,
    doubt: string | null = null,
  ): void {
    if (!this.#steps.has(key)) this.#steps.set(key, { key, stage, title, detail, href, doubt });
  }

  #join(from: string, to: string): void {
    this.#edges.set(`${from} ${to}`, { from, to });
  }
}

const DIGEST = "digest";

function packageKey({ env, addonId, version }: PackageFact | RunningFact): string {
  return `package ${env} ${addonId} ${version}`;
}

function doubtOf({ dirty }: BuildFact): string | null {
  if (dirty === null) return "nobody knows whether the work tree was clean";
  return dirty ? "from a dirty work tree" : null;
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
