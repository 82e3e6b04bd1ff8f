import type { ReportedAddon, ReportedVersion } from "../hosts/host-status.ts";
import { audienceText } from "./audience.ts";
import type { AssignmentFact } from "./assignment-facts.ts";
import { instant, short, table } from "./frame.ts";
import type { HostFact } from "./host-facts.ts";
import { html, path, type Html } from "./html.ts";

/** A host that asks every minute has been silent for ten of them. */
const SILENT_MS = 600_000;

/** The pages that go on; null at the end. */
type More = { readonly hosts: string | null; readonly assigned: string | null };

/** What each host says that it runs, and what it shall. */
export function hostView(
  hosts: readonly HostFact[],
  assignments: readonly AssignmentFact[],
  more: More,
  now: Date,
): Html {
  return html`<h1>Hosts</h1>
    ${
      hosts.length === 0
        ? html`<p>No host has reported here. <code>waybill addon run --report</code> tells how a host is.</p>`
        : html`${reportTable(hosts, now)}
            <p class="quiet">
              As the server keeps it: <a href="/v1/hosts">/v1/hosts</a>; on a host itself:
              <code>waybill addon status</code>.
            </p>`
    }
    ${more.hosts === null ? null : html`<p><a href="${more.hosts}">More hosts</a></p>`}
    <h2 id="assigned">Assigned</h2>
    ${
      assignments.length === 0
        ? html`<p>
            No add-on is assigned yet. <code>waybill addon publish --assign</code> publishes and assigns one.
          </p>`
        : assignmentTable(assignments)
    }
    ${more.assigned === null ? null : html`<p><a href="${more.assigned}">More assignments</a></p>`}`;
}

function reportTable(hosts: readonly HostFact[], now: Date): Html {
  return table(
    "What each host said last: what it has, what it was offered, and how it is",
    ["Host", "Add-on", "Has", "Offered", "Health"],
    hosts.map((host) => hostRows(host, now)),
    "board",
  );
}

function hostRows(host: HostFact, now: Date): Html {
  const { addons } = host;
  const isSilent = now.getTime() - Date.parse(host.at) > SILENT_MS;
  const head = html`<th scope="row" rowspan="${Math.max(1, addons.length)}">
    ${host.host} <span class="quiet">${host.env}, ${host.platform}</span><br /><span class="quiet"
      >${instant(host.at)} by ${host.by}</span
    >
    ${isSilent ? html`<span class="mark warn">silent since</span>` : null}
  </th>`;
  if (addons.length === 0)
    return html`<tr>
      ${head}
      <td colspan="4"><span class="quiet">nothing is assigned</span></td>
    </tr> `;
  return html`${addons.map(
    (addon, index) =>
      html`<tr>
        ${index === 0 ? head : null}
        <td>${addon.addon_id}</td>
        <td data-env="has">${version(addon.has)}</td>
        <td data-env="offered">${version(addon.offered)} ${offerMark(addon)}</td>
        <td data-env="health">
          ${healthMark(addon.state)}${addon.on_trial ? html`<span class="mark warn">on trial</span>` : null}
          ${addon.last_error === null ? null : html`<br /><span class="quiet">${addon.last_error}</span>`}
        </td>
      </tr> `,
  )}`;
}

function version(reported: ReportedVersion | null): Html {
  if (reported === null) return html`<span class="quiet">nothing</span>`;
  const { version: name, digest } = reported;
  return html`${name}
  ${digest === null ? html`<span class="quiet">of the host</span>` : html`<a href="${path`/digests/${digest}`}">${short(digest)}</a>`}`;
}

/** Whether a host has what it was offered, and if not, whether it will take it. */
function offerMark({ has, offered, blocked }: ReportedAddon): Html | null {
  if (offered === null) return html`<span class="mark warn">not assigned</span>`;
  if (offered.digest !== null && blocked.includes(offered.digest))
    return html`<span class="mark bad">rolled back here</span>`;
  const isSame =
    has !== null && has.version === offered.version && (offered.digest ?? has.digest) === has.digest;
  return isSame ? null : html`<span class="mark warn">not in place</span>`;
}

const GOOD = new Set(["running", "acknowledged", "unchanged", "staged"]);
const BAD = new Set(["unhealthy", "circuit_open", "unsupported", "kept_last_known_good"]);

function healthMark(state: string): Html {
  const words = state.replaceAll("_", " ");
  if (GOOD.has(state)) return html`<span class="mark good">${words}</span>`;
  return BAD.has(state)
    ? html`<span class="mark bad">${words}</span>`
    : html`<span class="mark warn">${words}</span>`;
}

function assignmentTable(assignments: readonly AssignmentFact[]): Html {
  return table(
    "Assigned add-ons; the one of a host wins over those for labels, and they over the one for every host",
    ["Hosts", "Add-on", "Version", "State", "Assigned (UTC)"],
    assignments.map(assignmentRow),
    "board",
  );
}

function assignmentRow(one: AssignmentFact): Html {
  return html`<tr>
    <th scope="row">${audienceText(one.audience)} <span class="quiet">${one.env}</span></th>
    <td>${one.addonId}</td>
    <td data-env="version">${one.version}</td>
    <td data-env="state">
      ${
        one.enabled === 1
          ? html`<span class="mark good">enabled</span>`
          : html`<span class="mark warn">disabled</span>`
      }
    </td>
    <td data-env="assigned">${instant(one.at)} by ${one.by}</td>
  </tr> `;
}
