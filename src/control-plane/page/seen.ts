import type { Sql } from "../storage/database.ts";
import { isWithin } from "../tokens/token-bounds.ts";
import type { BuildFact, PinFact, StopFact } from "./board.ts";
import {
  assignmentFacts,
  packagesWith,
  type AssignmentFact,
  type AssignmentPlace,
} from "./assignment-facts.ts";
import {
  buildsWith,
  eventFacts,
  newestBuildsOf,
  pinEventFacts,
  recentBuilds,
  stopFacts,
  type EventFact,
} from "./facts.ts";
import { matchesCommit, type ReceiptFact } from "./evidence.ts";
import { capturesOf, receiptFacts } from "./evidence-facts.ts";
import type { Viewer } from "./frame.ts";
import { hostFacts, hostsNamed, runningFacts, type HostFact, type HostPlace } from "./host-facts.ts";
import type { PackageFact, RunningFact } from "./lineage.ts";
import {
  pinFacts,
  pinnedEnvironments,
  pinPlaces,
  placeCounts,
  type PinPlaceFact,
  type PinWish,
} from "./pin-facts.ts";

/** Some rows of the board; of all of them how many there are, and in how many environments have other digests. */
type BoardPage = {
  /** In which anything is pinned, whether on this page or not. */
  readonly envs: readonly string[];
  readonly pins: readonly PinFact[];
  readonly next: PinPlaceFact | null;
  readonly places: number;
  readonly differing: number;
};

/** What of the records a token shows: every page reads through this, so that none can show more. */
export class Seen {
  readonly #sql: Sql;
  readonly #viewer: Viewer;

  constructor(sql: Sql, viewer: Viewer) {
    this.#sql = sql;
    this.#viewer = viewer;
  }

  /** At most `limit` rows of the board behind `after`, and behind which one there may be more. */
  async boardPage(after: PinPlaceFact, limit: number): Promise<BoardPage> {
    const { envs, sees, bounds } = this.#viewer;
    if (!sees.pins) return { envs: [], pins: [], next: null, places: 0, differing: 0 };
    const { templates } = bounds;
    const found = await pinPlaces(this.#sql, envs, templates, after, limit);
    const upTo = found.at(-1);
    return {
      envs: await pinnedEnvironments(this.#sql, envs, templates),
      pins: upTo === undefined ? [] : await pinFacts(this.#sql, envs, templates, { behind: after, upTo }),
      next: found.length < limit ? null : (upTo ?? null),
      ...(await placeCounts(this.#sql, envs, templates)),
    };
  }

  async pin(env: string, template: string, region: string): Promise<PinFact | null> {
    const { envs } = this.#viewer;
    if (!envs.includes(env)) return null;
    return (await this.#pins([env], { at: { template, region } }))[0] ?? null;
  }

  pinsOf(digest: string): Promise<readonly PinFact[]> {
    return this.#pins(this.#viewer.envs, { digest });
  }

  pinsWith(text: string, limit: number): Promise<readonly PinFact[]> {
    return this.#pins(this.#viewer.envs, { text, limit });
  }

  async stops(): Promise<readonly StopFact[]> {
    const { envs, sees, bounds } = this.#viewer;
    if (!sees.pins) return [];
    const found = await stopFacts(this.#sql, envs);
    return found.filter(({ kind, template }) => kind === "frozen" || isWithin(bounds.templates, template));
  }

  newestBuildsOf(digests: readonly string[]): Promise<readonly BuildFact[]> {
    if (digests.length === 0) return Promise.resolve([]);
    return this.#builds(() => newestBuildsOf(this.#sql, this.#viewer.envs, digests));
  }

  recentBuilds(): Promise<readonly BuildFact[]> {
    return this.#builds(() => recentBuilds(this.#sql, this.#viewer.envs));
  }

  buildsWith(column: Parameters<typeof buildsWith>[2], value: string): Promise<readonly BuildFact[]> {
    return this.#builds(() => buildsWith(this.#sql, this.#viewer.envs, column, value));
  }

  async packagesWith(sha256: string): Promise<readonly PackageFact[]> {
    const { envs, sees, bounds } = this.#viewer;
    if (!sees.addons) return [];
    const found = await packagesWith(this.#sql, envs, sha256);
    return found.map((one) => ({
      ...one,
      audiences: one.audiences.filter((audience) => isWithin(bounds.hosts, audience)),
    }));
  }

  /** The hosts that say that they have a digest. */
  async running(digest: string): Promise<readonly RunningFact[]> {
    const { envs, sees, bounds } = this.#viewer;
    if (!sees.hosts) return [];
    return (await runningFacts(this.#sql, envs, digest)).filter(({ host }) => isWithin(bounds.hosts, host));
  }

  /** At most `limit` assignments behind `after`, and behind which one there may be more. */
  async assignments(
    after: AssignmentPlace | null,
    limit: number,
  ): Promise<{ readonly assignments: readonly AssignmentFact[]; readonly next: AssignmentPlace | null }> {
    const { envs, sees, bounds } = this.#viewer;
    if (!sees.addons) return { assignments: [], next: null };
    const wish = { behind: after, limit, hosts: bounds.hosts };
    const assignments = await assignmentFacts(this.#sql, envs, wish);
    return { assignments, next: assignments.length < limit ? null : (assignments.at(-1) ?? null) };
  }

  async assignmentsWith(text: string, limit: number): Promise<readonly AssignmentFact[]> {
    const { envs, sees, bounds } = this.#viewer;
    return sees.addons ? assignmentFacts(this.#sql, envs, { text, limit, hosts: bounds.hosts }) : [];
  }

  /** At most `limit` hosts behind `after`, and behind which one there may be more. */
  async hosts(
    after: HostPlace,
    limit: number,
  ): Promise<{ readonly hosts: readonly HostFact[]; readonly next: HostPlace | null }> {
    const { envs, sees, bounds } = this.#viewer;
    if (!sees.hosts) return { hosts: [], next: null };
    return hostFacts(this.#sql, envs, bounds.hosts, after, limit);
  }

  async hostsNamed(text: string): Promise<readonly HostPlace[]> {
    const { envs, sees, bounds } = this.#viewer;
    return sees.hosts ? hostsNamed(this.#sql, envs, bounds.hosts, text) : [];
  }

  /** The receipts of a pin that was seen. */
  receipts(pin: PinFact): Promise<readonly ReceiptFact[]> {
    return receiptFacts(this.#sql, pin);
  }

  /** What signed captures say of a build that was seen; null also for whoever may not read them. */
  async matchesCommit(build: BuildFact): Promise<boolean | null> {
    if (!this.#viewer.sees.attestations) return null;
    return matchesCommit(await capturesOf(this.#sql, build), build.commit);
  }

  /** At most `limit` events before number `before`, and whether there may be more, read from `next` on. */
  async events(
    before: number,
    limit: number,
  ): Promise<{ readonly events: readonly EventFact[]; readonly next: number | null }> {
    const { envs, sees, bounds } = this.#viewer;
    if (!sees.pins && !sees.all) return { events: [], next: null };
    const found = await eventFacts(this.#sql, { envs, onlyPins: !sees.all, before, limit });
    const events = found.filter(({ subject }) => isWithin(bounds.templates, subject.split("/")[0] ?? null));
    return { events, next: found.length < limit ? null : (found.at(-1)?.seq ?? null) };
  }

  /** The last events about a pin that was seen. */
  eventsAbout(pin: PinFact, limit: number): Promise<readonly EventFact[]> {
    return pinEventFacts(this.#sql, pin, limit);
  }

  async #pins(envs: readonly string[], wish: PinWish): Promise<readonly PinFact[]> {
    const { sees, bounds } = this.#viewer;
    return sees.pins ? pinFacts(this.#sql, envs, bounds.templates, wish) : [];
  }

  async #builds(read: () => Promise<BuildFact[]>): Promise<readonly BuildFact[]> {
    const { sees, bounds } = this.#viewer;
    return sees.builds ? (await read()).filter(({ repo }) => isWithin(bounds.repos, repo)) : [];
  }
}
