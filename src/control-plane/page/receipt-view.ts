import type { ReceiptFact } from "./evidence.ts";
import { command, instant, short, type Viewer } from "./frame.ts";
import { html, type Html } from "./html.ts";
import type { PinFact } from "./board.ts";

/** The receipts of what a pin is now: who signed that they pinned it. The server has no keys and checks none. */
export function receiptList(pin: PinFact, receipts: readonly ReceiptFact[], viewer: Viewer): Html {
  if (receipts.length === 0)
    return html`<p>
      <span class="mark warn">no receipt</span> Nobody signed that they pinned version ${pin.version}.
    </p>`;
  return html`<ul>
      ${receipts.map(
        (one) =>
          html`<li>
            ${
              one.keyids.length === 0
                ? "signed without a key id"
                : html`signed by ${one.keyids.map((keyid) => html`<code>${keyid}</code> `)}`
            }
            ${one.previous === null ? null : html`in place of ${short(one.previous)}`}
            <span class="quiet"
              >receipt ${one.number}, ${instant(one.at)} by
              ${one.by}${one.outcome === null ? null : `; ${one.outcome}`}${
                one.actor === null ? null : `; for ${one.actor}`
              }${one.runUrl === null ? null : `; ${one.runUrl}`}</span
            >
          </li>`,
      )}
    </ul>
    <p class="quiet">Kept as they were handed in; whoever has the keys proves them:</p>
    ${command(`waybill verify pin --template ${pin.template} --digest ${pin.digest}${pin.region === "global" ? "" : ` --region ${pin.region}`} --target ${pin.env}=${viewer.origin} --token-env ${pin.env}=TOKEN --require-receipt --key KEY`)}`;
}
