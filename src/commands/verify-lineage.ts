import { EXIT, exitCodeOf, type ExitCode } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { throwIfStopped } from "../base/interruption.ts";
import type { Json, Outcome, World } from "../cli/command.ts";
import { SYSTEM_CLOCK } from "../host/clock.ts";
import type { Audited } from "../pins/audit.ts";
import { exitOfCodes } from "../pins/leg.ts";
import type { Lineage, Link } from "../pins/lineage.ts";
import type { Exchange } from "../pins/pin-client.ts";
import { trace } from "../pins/trace.ts";
import { readAttestations } from "../trust/attestation-file.ts";
import { joined } from "./attestation-files.ts";
import type { TrustFlags } from "./evidence-flags.ts";
import { judgingTime } from "./judging-time.ts";
import { inEnvironment } from "./leg-words.ts";
import { readTrusterOf } from "./receipt-demand.ts";

/**
 * Follows every pin that was listed, one after the other, and counts what was found on the way. Those of one
 * environment may take `timeoutMs` milliseconds together.
 */
export async function auditLineage(
  audited: readonly Audited[],
  flags: TrustFlags & { readonly attestation: readonly string[]; readonly template: string | undefined },
  timeoutMs: number,
  exchange: Exchange,
  world: World,
): Promise<Outcome> {
  const now = judgingTime(world);
  const trusted = readTrusterOf(flags, now);
  const captures = flags.attestation.length === 0 ? null : joined(flags.attestation.map(readAttestations));
  const lineages: Lineage[] = [];
  const unread: Failure[] = [];
  for (const one of audited) {
    const { env } = one.target;
    if ("failure" in one) {
      unread.push(inEnvironment(env, one.failure));
      continue;
    }
    const rows = one.rows.filter(
      ({ template }) => flags.template === undefined || template === flags.template,
    );
    const end = SYSTEM_CLOCK.now() + timeoutMs;
    for (const [index, row] of rows.entries()) {
      if (SYSTEM_CLOCK.now() >= end) {
        unread.push(inEnvironment(env, tooSlow(index, rows.length, timeoutMs)));
        break;
      }
      lineages.push(await trace(one.target, row, { exchange, trusted, captures, now }));
      // What a signal kept from being read is not missing.
      throwIfStopped(world.stop, `following the pins of ${env}`);
    }
  }
  const failures = [...unread, ...lineages.flatMap(failureOf)];
  const nothing = lineages.length === 0 && unread.length === 0;
  if (nothing) failures.push(new Failure("nothing_checked", "there is no pin to follow"));
  return {
    exit: exitOf(lineages, unread),
    document: documentOf(lineages, unread),
    text: lineages.map(describe).join(""),
    failures,
  };
}

function tooSlow(followed: number, pins: number, timeoutMs: number): Failure {
  const message = `after ${timeoutMs / 1000} s ${followed} of ${pins} pins were followed`;
  return new Failure("deadline_passed", message, { hint: "give it a longer --timeout, or one --template" });
}

function failureOf({ env, template, links }: Lineage): Failure[] {
  const bad = links.filter(({ state }) => state !== "found");
  if (bad.length === 0) return [];
  const wrong = bad.filter(({ state }) => state === "wrong");
  const said = (wrong.length > 0 ? wrong : bad).map(({ name, what }) => `${name}: ${what}`).join("; ");
  const code = wrong.length > 0 ? "lineage_contradicted" : "lineage_incomplete";
  return [
    inEnvironment(
      env,
      new Failure(code, `${template} cannot be followed to its commit: ${said}`, {
        hint: "docs/attestations.md says where each of them comes from",
      }),
    ),
  ];
}

/** What contradicts weighs more than what is missing, and that more than what could not be read. */
function exitOf(lineages: readonly Lineage[], unread: readonly Failure[]): ExitCode {
  const links = lineages.flatMap((lineage) => lineage.links);
  if (links.some(({ state }) => state === "wrong")) return EXIT.untrusted;
  if (links.some(({ state }) => state === "missing")) return EXIT.missing;
  const codes = links.flatMap(({ code }) => (code === undefined ? [] : [exitCodeOf(code)]));
  const [first] = codes;
  if (first !== undefined) return first;
  const found = lineages.map(() => EXIT.ok);
  return exitOfCodes([...found, ...unread.map(({ exitCode }) => exitCode)]);
}

function documentOf(lineages: readonly Lineage[], unread: readonly Failure[]): Record<string, Json> {
  const count = (state: Link["state"]): number =>
    lineages.reduce((sum, { links }) => sum + links.filter((link) => link.state === state).length, 0);
  return {
    checked: lineages.length,
    complete: lineages.filter(({ links }) => links.every(({ state }) => state === "found")).length,
    links: {
      found: count("found"),
      missing: count("missing"),
      wrong: count("wrong"),
      unread: count("unread"),
    },
    lineages: lineages.map(({ links, ...rest }) => ({ ...rest, links: links.map((link) => ({ ...link })) })),
    unread: unread.map((failure) => ({ ...failure.toDocument() })),
  };
}

const WORD: Readonly<Record<Link["state"], string>> = {
  found: "OK     ",
  missing: "MISSING",
  wrong: "WRONG  ",
  unread: "UNREAD ",
};

function describe({ env, template, region, links }: Lineage): string {
  const lines = links.map(({ name, state, what }) => `  ${WORD[state]} ${name.padEnd(7)} ${what}\n`);
  return `${env}: ${template} (${region})\n${lines.join("")}`;
}
