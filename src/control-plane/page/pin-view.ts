import type { Cell } from "./board.ts";
import { eventTable } from "./event-view.ts";
import type { ReceiptFact } from "./evidence.ts";
import type { EventFact } from "./facts.ts";
import { apiLink, command, instant, short, type Viewer } from "./frame.ts";
import { html, path, type Html } from "./html.ts";
import { lineageList, lineagePicture } from "./lineage-picture.ts";
import type { Lineage } from "./lineage.ts";
import { marks, matchesMark } from "./overview-view.ts";
import { receiptList } from "./receipt-view.ts";

/** What is known of a pin besides its row. */
export type PinStory = {
  readonly lineage: Lineage;
  readonly events: readonly EventFact[];
  readonly receipts: readonly ReceiptFact[];
  /** Whether its build is exactly its commit, as a signed capture says. */
  readonly matches: boolean | null;
};

/** One pin: what it is, why, where it came from, how to prove it, and everything that it was. */
export function pinView(cell: Cell, { lineage, events, receipts, matches }: PinStory, viewer: Viewer): Html {
  const { pin, origin, stops } = cell;
  const api = path`/v1/pins/${pin.template}/${pin.region}`;
  const target = `--target ${pin.env}=${viewer.origin} --token-env ${pin.env}=TOKEN`;
  return html`<h1>${pin.template} in ${pin.env}</h1>
    <p>${marks(cell)} ${matchesMark(matches)}</p>
    ${stops.map((stop) => html`<p class="mark warn">${stop.kind} by ${stop.by} since ${instant(stop.at)}: ${stop.reason}</p>`)}
    <dl>
      <dt>digest</dt>
      <dd>
        <a href="${path`/digests/${pin.digest}`}"><code>${pin.digest}</code></a>
      </dd>
      <dt>region</dt>
      <dd>${pin.region}</dd>
      <dt>commit</dt>
      <dd>${pin.gitSha === null ? "the promotion named none" : html`<code>${pin.gitSha}</code>`}</dd>
      <dt>build</dt>
      <dd>
        ${origin === null ? "none is recorded" : html`<a href="${path`/builds/${origin.build.id}`}">${origin.build.image}</a> <span class="quiet">known ${origin.known}</span>`}
      </dd>
      <dt>promoted</dt>
      <dd>${instant(pin.at)} by ${pin.by}</dd>
      <dt>build number</dt>
      <dd>${pin.seq ?? "none was given"}</dd>
      <dt>notes</dt>
      <dd>${pin.notes ?? "none"}</dd>
      <dt>version</dt>
      <dd>${pin.version}</dd>
    </dl>
    <h2>Where it came from</h2>
    <div class="scroll">${lineagePicture(lineage)}</div>
    ${lineageList(lineage)}
    <h2>Receipts</h2>
    ${receiptList(pin, receipts, viewer)}
    <h2>Proof</h2>
    <p>
      The row as the server keeps it:
      ${apiLink(api, `/v1/pins/${pin.template}/${pin.region}`, pin.env, viewer)}, and
      ${apiLink(`${api}/history`, "its history", pin.env, viewer)}. The same from a shell, and its way from
      the commit:
    </p>
    ${command(`waybill verify pin --template ${pin.template} --digest ${pin.digest}${pin.region === "global" ? "" : ` --region ${pin.region}`} ${target}`)}
    ${command(`waybill verify audit --lineage --template ${pin.template} ${target} --key KEY`)}
    <h2>History</h2>
    ${eventTable(`The newest changes of ${pin.template}/${pin.region} in ${pin.env}`, events, null)}`;
}

/** Everything recorded about one digest. */
export function digestView(digest: string, lineage: Lineage, isArtifact: boolean): Html {
  const sha256 = digest.slice("sha256:".length);
  return html`<h1>Digest ${short(digest)}</h1>
    <p><code>${digest}</code></p>
    <div class="scroll">${lineagePicture(lineage)}</div>
    ${lineageList(lineage)}
    <h2>Proof</h2>
    <p>
      <a href="${path`/v1/attestations/${digest}`}">What was signed about it</a>, as the server keeps it;
      whoever has the keys proves it:
    </p>
    ${command(`waybill verify attestation FILE --subject ${digest} --key KEY`)}
    ${
      isArtifact
        ? html`<p><a href="${path`/v1/artifacts/${sha256}`}">Its bytes</a>, which are what they are named:</p>
            ${command(`waybill verify artifact FILE --sha256 ${sha256}`)}`
        : null
    }`;
}
