import type { BuildFact } from "./board.ts";
import { apiLink, command, instant, short, table, type Viewer } from "./frame.ts";
import { html, path, type Html } from "./html.ts";
import { dirtyMark, matchesMark } from "./overview-view.ts";

export function buildTable(caption: string, builds: readonly BuildFact[]): Html {
  if (builds.length === 0) return html`<p class="quiet">No build is recorded.</p>`;
  return table(caption, ["Image", "Commit", "Digest", "When (UTC)", "By"], builds.map(buildRow));
}

function buildRow(build: BuildFact): Html {
  return html`<tr>
    <td>
      <a href="${path`/builds/${build.id}`}">${build.image}</a>
      <span class="quiet">${build.env}</span>
    </td>
    <td>
      ${build.commit === null ? html`<span class="mark warn">unknown</span>` : short(build.commit)}
      ${build.ref} ${dirtyMark(build.dirty)}
    </td>
    <td>
      ${
        build.digest === null
          ? html`<span class="quiet">not recorded</span>`
          : html`<a href="${path`/digests/${build.digest}`}">${short(build.digest)}</a>`
      }
    </td>
    <td>${instant(build.at)}</td>
    <td>${build.by}</td>
  </tr> `;
}

/** One build record: what its uploader captured, and whether a signed capture says that it is the commit. */
export function buildView(build: BuildFact, matches: boolean | null, viewer: Viewer): Html {
  return html`<h1>${build.image}</h1>
    <p>${dirtyMark(build.dirty)} ${matchesMark(matches)}</p>
    <dl>
      <dt>repository</dt>
      <dd>${build.repo ?? "not recorded"}</dd>
      <dt>commit</dt>
      <dd>${build.commit === null ? "not recorded" : html`<code>${build.commit}</code>`}</dd>
      <dt>ref</dt>
      <dd>${build.ref ?? "not recorded"}</dd>
      <dt>tree hash</dt>
      <dd>${build.treeHash === null ? "not recorded" : html`<code>${build.treeHash}</code>`}</dd>
      <dt>digest</dt>
      <dd>
        ${build.digest === null ? "the uploader named none" : html`<a href="${path`/digests/${build.digest}`}"><code>${build.digest}</code></a>`}
      </dd>
      <dt>recorded</dt>
      <dd>${instant(build.at)} by ${build.by} in ${build.env}</dd>
    </dl>
    <h2>Proof</h2>
    <p>
      The record as the server keeps it:
      ${apiLink(path`/v5/builds/${build.id}`, `/v5/builds/${build.id}`, build.env, viewer)}. A clone at that
      commit has the same tree hash:
    </p>
    ${command(`waybill capture . --digest working_tree_hash --json     # wanted: ${build.treeHash ?? "not recorded"}`)}
    <p class="quiet">
      Recorded at ${viewer.origin}. A record is its uploader's word; a signed capture is proof:
      <code>waybill verify attestation</code>.
    </p>`;
}
