import { audienceText } from "./audience.ts";
import type { BuildFact, PinFact } from "./board.ts";
import { buildTable } from "./build-view.ts";
import type { AssignmentFact } from "./assignment-facts.ts";
import { short } from "./frame.ts";
import type { HostPlace } from "./host-facts.ts";
import { html, path, type Html } from "./html.ts";
import type { Seen } from "./seen.ts";

export type Found = {
  readonly pins: readonly PinFact[];
  readonly builds: readonly BuildFact[];
  readonly hosts: readonly HostPlace[];
  readonly assignments: readonly AssignmentFact[];
};

/** Of each kind; nobody reads more, and the next letter finds fewer. */
const MOST = 100;

const COLUMNS = ["id", "source_commit", "working_tree_hash", "image_digest"] as const;

/** What has the text: pins by template, digest, commit or notes, builds by exact name, hosts, add-ons. */
export async function searchFor(seen: Seen, text: string): Promise<Found> {
  if (text === "") return { pins: [], builds: [], hosts: [], assignments: [] };
  const builds: BuildFact[] = [];
  for (const column of COLUMNS) {
    builds.push(...(await seen.buildsWith(column, column === "image_digest" ? withAlgorithm(text) : text)));
  }
  return {
    pins: await seen.pinsWith(text, MOST),
    builds,
    hosts: await seen.hostsNamed(text),
    assignments: await seen.assignmentsWith(text, MOST),
  };
}

function withAlgorithm(text: string): string {
  return /^[0-9a-f]{64}$/u.test(text) ? `sha256:${text}` : text;
}

export function searchView(text: string, { pins, builds, hosts, assignments }: Found): Html {
  const count = pins.length + builds.length + hosts.length + assignments.length;
  return html`<h1>${count} found for “${text}”</h1>
    ${
      pins.length === 0
        ? null
        : html`<h2>Pins</h2>
            <ul>
              ${pins.map(
                (pin) =>
                  html`<li>
                    <a href="${path`/pins/${pin.env}/${pin.template}/${pin.region}`}"
                      >${pin.template} in ${pin.env}</a
                    >
                    ${pin.region} ${short(pin.digest)}
                  </li>`,
              )}
            </ul>`
    }
    ${
      builds.length === 0
        ? null
        : html`<h2>Builds</h2>
            ${buildTable("Builds with exactly this", builds)}`
    }
    ${
      hosts.length === 0
        ? null
        : html`<h2>Hosts</h2>
            <ul>
              ${hosts.map(
                ({ host, env }) =>
                  html`<li><a href="${path`/hosts?after=${host.slice(0, -1)}`}">${host}</a> in ${env}</li>`,
              )}
            </ul>`
    }
    ${
      assignments.length === 0
        ? null
        : html`<h2>Assigned</h2>
            <ul>
              ${assignments.map(
                (one) =>
                  html`<li>
                    <a href="/hosts">${audienceText(one.audience)}</a>: ${one.addonId} ${one.version} in
                    ${one.env}
                  </li>`,
              )}
            </ul>`
    }
    ${[pins, hosts, assignments].some(({ length }) => length >= MOST) ? html`<p>The first ${MOST} of a kind are shown.</p>` : null}
    ${count > 0 ? null : html`<p>Digests, commits, tree hashes and build ids are found whole; templates, notes, add-ons and hosts also by a part.</p>`}`;
}
