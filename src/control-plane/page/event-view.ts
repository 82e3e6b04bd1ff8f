import type { EventFact } from "./facts.ts";
import { instant, table } from "./frame.ts";
import { html, path, type Html } from "./html.ts";

/** What happened, newest first: who did what, to what, and why. `older` is the page before, or null. */
export function eventTable(caption: string, events: readonly EventFact[], older: string | null): Html {
  if (events.length === 0) return html`<p class="quiet">Nothing is recorded.</p>`;
  return html`${table(caption, ["No.", "When (UTC)", "Who", "What", "Why"], events.map(eventRow))}
  ${older === null ? null : html`<p><a href="${older}">Older</a></p>`}`;
}

function eventRow(event: EventFact): Html {
  const denied = event.decision === "denied" ? html`<span class="mark bad">denied</span> ` : null;
  const change = changeOf(event.before, event.after);
  return html`<tr>
    <td>${event.seq}</td>
    <td>${instant(event.at)}</td>
    <td>${event.actor}</td>
    <td>
      ${denied}${event.action}
      ${subjectOf(event)}${change === null ? null : html`<br /><code class="quiet">${change}</code>`}
    </td>
    <td>${event.reason}</td>
  </tr> `;
}

function subjectOf({ action, env, subject }: EventFact): Html {
  const [template, region, ...more] = subject.split("/");
  const isPin = action.startsWith("pin.") && env !== null && template !== undefined && region !== undefined;
  return isPin && more.length === 0
    ? html`<a href="${path`/pins/${env}/${template}/${region}`}">${subject}</a> in ${env}`
    : html`${subject}${env === null ? null : ` in ${env}`}`;
}

/** The digest before and after, for what changes a digest. */
function changeOf(before: string | null, after: string | null): string | null {
  const [from, to] = [digestIn(before), digestIn(after)];
  if (to === null) return null;
  return from === null ? to.slice(7, 19) : `${from.slice(7, 19)} → ${to.slice(7, 19)}`;
}

function digestIn(stored: string | null): string | null {
  return /"image_digest":"(sha256:[0-9a-f]{64})"/u.exec(stored ?? "")?.[1] ?? null;
}
