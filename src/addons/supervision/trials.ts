import type { AuditLog } from "../audit/audit-log.ts";
import { readInventory } from "../on-host/inventory.ts";
import { openSpecs, writeNoted } from "../on-host/noted-specs.ts";
import type { Layout } from "../on-host/layout.ts";
import { sameSpec, type Spec, type Specs } from "../on-host/spec.ts";
import type { SafeName } from "../names.ts";
import { storageFailure } from "../on-host/storage-failure.ts";
import { quoted } from "../../base/printable.ts";
import { rollBackAutomatically } from "./automatic-rollback.ts";
import { readGate, writeGate } from "./gate-file.ts";
import {
  commitTrial,
  countFailure,
  countStart,
  failsItsTrial,
  isTroubleOfTheHost,
  withSeen,
  withTrial,
  type Gate,
} from "./gate.ts";
import type { Failing, Seen } from "./whose-fault.ts";

/** The health gates of a host: what is on trial, what counts against it, and how a trial ends. */
export class Trials {
  readonly #layout: Layout;
  readonly #audit: AuditLog;
  /** As they were found or written last. */
  readonly #gates: Map<SafeName, Gate> = new Map();
  /** What the disk has not taken yet. */
  readonly #unwritten: Map<SafeName, Gate> = new Map();
  /** Versions on trial that may not go back: they go on being tried, as half a service is better than none. */
  readonly #stuck: Set<string> = new Set();

  constructor(layout: Layout, audit: AuditLog) {
    this.#layout = layout;
    this.#audit = audit;
  }

  /** Before a version starts for the first time. */
  begin(id: SafeName, specs: Specs): void {
    this.#change(id, (gate) => withTrial(gate, specs));
  }

  /** What was found out about what runs; true when it takes the blame from a version that was left for it. */
  see(id: SafeName, seen: Seen): boolean {
    const { left } = this.#gateOf(id);
    const after = this.#change(id, (gate) => withSeen(gate, seen)).left;
    return after !== null && after.cleared && left?.cleared === false;
  }

  isTroubleOfTheHost(id: SafeName, specs: Specs): boolean {
    return isTroubleOfTheHost(specs, this.#gateOf(id));
  }

  /** Counted before it is made, so that a version which takes the whole host down is counted as well. */
  countStart(id: SafeName, specs: Specs): "start" | "fails" {
    return this.#verdict(
      id,
      specs,
      this.#change(id, (gate) => countStart(withTrial(gate, specs))),
    );
  }

  countFault(id: SafeName, specs: Specs, weight: number, failing: Failing): "start" | "fails" {
    return this.#verdict(
      id,
      specs,
      this.#change(id, (gate) => countFailure(withTrial(gate, specs), weight, failing)),
    );
  }

  /** The window is over; says so, "" when something else is active by now. Call it under the root's lock. */
  commit(id: SafeName, active: Spec): string {
    const paths = this.#layout.addon(id);
    const { specs } = openSpecs(paths, this.#audit);
    if (!sameSpec(specs.active, active)) return "";
    const after = commitTrial(specs);
    const { version, artifact_sha256: sha256 } = active;
    const event = { event: "known_good", addon_id: id, version, sha256 };
    writeNoted(paths, specs, after, [event], this.#audit);
    this.#change(id, (gate) => withTrial(gate, after));
    return `add-on ${quoted(id)}: ${quoted(version)} is the last known good`;
  }

  /** One step back from what is active; says what came of it, "" for nothing. Call it under the root's lock. */
  async stepBack(id: SafeName, from: Spec, stop: AbortSignal): Promise<string> {
    const [addon] = readInventory(this.#layout, [id]);
    if (addon === undefined || addon.specs.active?.artifact_sha256 !== from.artifact_sha256) return "";
    try {
      const done = await rollBackAutomatically(addon, this.#audit, stop);
      return "failures" in done ? "" : `went back from ${from.version} to ${done.to.version}`;
    } catch (error) {
      const failure = storageFailure(error, addon.paths.directory);
      // What the disk did not take now it may take the next time.
      if (error === failure) this.#stuck.add(nameOf(id, from));
      return failure.message;
    }
  }

  /** What was left for a trouble of the host may be staged again. Call it under the root's lock. */
  unblock(id: SafeName): string {
    const { left } = this.#gateOf(id);
    const paths = this.#layout.addon(id);
    const { specs } = openSpecs(paths, this.#audit);
    if (left === null || !left.cleared || !specs.blocked.includes(left.sha256)) return "";
    const after = { ...specs, blocked: specs.blocked.filter((one) => one !== left.sha256) };
    const version = specs.history.find((one) => one.artifact_sha256 === left.sha256)?.version ?? "";
    const event = { event: "unblocked", addon_id: id, version, sha256: left.sha256 };
    writeNoted(paths, specs, after, [event], this.#audit);
    return `the same probe fails as before, so ${quoted(version)} is not to blame, and is taken again`;
  }

  #verdict(id: SafeName, { active }: Specs, gate: Gate): "start" | "fails" {
    const isStuck = active !== null && this.#stuck.has(nameOf(id, active));
    return failsItsTrial(gate) && !isStuck ? "fails" : "start";
  }

  #gateOf(id: SafeName): Gate {
    const known = this.#gates.get(id) ?? readGate(this.#layout.addon(id));
    this.#gates.set(id, known);
    return known;
  }

  #change(id: SafeName, change: (gate: Gate) => Gate): Gate {
    const paths = this.#layout.addon(id);
    const onDisk = readGate(paths);
    const after = change(this.#unwritten.get(id) ?? onDisk);
    try {
      writeGate(paths, onDisk, after);
      this.#unwritten.delete(id);
    } catch {
      // On a full disk what runs is watched nevertheless, and counted here as long as we live.
      this.#unwritten.set(id, after);
    }
    this.#gates.set(id, after);
    return after;
  }
}

function nameOf(id: SafeName, { artifact_sha256: sha256 }: Spec): string {
  return `${id} ${sha256}`;
}
