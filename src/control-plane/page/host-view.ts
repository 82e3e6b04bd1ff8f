import type { AssignmentFact } from "./facts.ts";
import { instant } from "./frame.ts";
import { html, type Html } from "./html.ts";

/** Which add-ons each host is to run. */
export function hostView(assignments: readonly AssignmentFact[]): Html {
  if (assignments.length === 0) {
    return html`<h1>Hosts</h1>
      <p>
        No add-on is assigned yet. <code>waybill addon publish --assign</code> publishes and assigns one.
      </p>`;
  }
  return html`<h1>Hosts</h1>
    <div class="scroll">
      <table>
        <caption>
          Assigned add-ons; an assignment of one host wins over the one for every host
        </caption>
        <thead>
          <tr>
            <th scope="col">Host</th>
            <th scope="col">Add-on</th>
            <th scope="col">Version</th>
            <th scope="col">State</th>
            <th scope="col">Assigned (UTC)</th>
          </tr>
        </thead>
        <tbody>
          ${assignments.map(
            (one) =>
              html`<tr>
                <th scope="row">
                  ${one.host === "" ? "every host" : one.host} <span class="quiet">${one.env}</span>
                </th>
                <td>${one.addonId}</td>
                <td>${one.version}</td>
                <td>
                  ${
                    one.enabled === 1
                      ? html`<span class="mark good">enabled</span>`
                      : html`<span class="mark warn">disabled</span>`
                  }
                </td>
                <td>${instant(one.at)} by ${one.by}</td>
              </tr> `,
          )}
        </tbody>
      </table>
    </div>`;
}
