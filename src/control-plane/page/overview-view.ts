import type { Board, BoardRow, Cell, StopFact } from "./board.ts";
import { instant, short, table, type Viewer } from "./frame.ts";
import { html, path, type Html } from "./html.ts";

/**
 * Beside the rows of one page: how many there are in all, in
 * how many environments differ, and where the next page is.
 */
type Rest = { readonly places: number; readonly differing: number; readonly more: string | null };

/** What runs where: the board, what is frozen, and how the environments differ. */
export function overview(
  board: Board,
  { places, differing, more }: Rest,
  stops: readonly StopFact[],
  viewer: Viewer,
): Html {
  const frozen = stops.filter(({ kind }) => kind === "frozen");
  return html`<h1>What runs where</h1>
    ${frozen.map((stop) => html`<p class="mark warn">${stop.env} is frozen by ${stop.by} since ${instant(stop.at)}: ${stop.reason}</p>`)}
    ${places === 0 ? html`<p>Nothing is pinned yet. <code>waybill promote</code> pins an image digest here.</p>` : boardTable(board)}
    ${more === null ? null : html`<p><a href="${more}">More of ${places} pins</a></p>`}
    ${
      board.envs.length > 1
        ? html`<p class="quiet">
            ${differing} of ${places} pins differ between ${board.envs.join(" and ")}. The same as a report:
            <code>waybill verify audit</code> with a --target for each environment, at ${viewer.origin}.
          </p>`
        : null
    }`;
}

function boardTable({ envs, rows }: Board): Html {
  return table(
    "Pinned digests, with the commit that each was built from",
    ["Template", ...envs, "Drift"],
    rows.map((row) => boardRow(envs, row)),
    "board",
  );
}

function boardRow(envs: readonly string[], { template, region, cells, drift }: BoardRow): Html {
  return html`<tr>
    <th scope="row">${template} <span class="quiet">${region}</span></th>
    ${cells.map(
      (cell, index) =>
        html`<td data-env="${envs[index]}">
          ${cell === null ? html`<span class="quiet">no pin</span>` : pinned(cell)}
        </td>`,
    )}
    <td data-env="drift">${driftMark(drift)}</td>
  </tr> `;
}

function pinned(cell: Cell): Html {
  const { pin } = cell;
  return html`<a href="${path`/pins/${pin.env}/${pin.template}/${pin.region}`}">${short(pin.digest)}</a>
    ${marks(cell)}<br /><span class="quiet">${instant(pin.at)} by ${pin.by}</span>`;
}

/** The commit of a pin and what is known against it: each mark is a word, never a colour alone. */
export function marks({ pin, origin, stops }: Cell): Html {
  const build = origin?.build ?? null;
  const commit = build?.commit ?? pin.gitSha;
  return html`${commit === null ? html`<span class="mark warn">commit unknown</span>` : html`commit ${short(commit)}`}
  ${
    build === null ? html`<span class="mark warn">no build record</span>` : dirtyMark(build.dirty)
  }${origin?.known === "by commit" ? html`<span class="mark warn">build known by its commit alone</span>` : null}${stops.map(
    (stop) => html`<span class="mark warn" title="${stop.reason}">${stop.kind}</span>`,
  )}`;
}

export function dirtyMark(dirty: boolean | null): Html {
  if (dirty === null) return html`<span class="mark warn">cleanness unknown</span>`;
  return dirty ? html`<span class="mark bad">dirty</span>` : html`<span class="mark good">clean</span>`;
}

/** By signed captures, which the server keeps and does not verify. */
export function matchesMark(matches: boolean | null): Html {
  if (matches === null) return html`<span class="mark warn">match with the commit unknown</span>`;
  return matches
    ? html`<span class="mark good">matches its commit, a signed capture says</span>`
    : html`<span class="mark bad">departs from its commit, a signed capture says</span>`;
}

function driftMark(drift: BoardRow["drift"]): Html {
  if (drift === null) return html`<span class="quiet">one environment</span>`;
  if (drift === "same") return html`<span class="mark good">same</span>`;
  return drift === "differs"
    ? html`<span class="mark bad">differs</span>`
    : html`<span class="mark warn">not everywhere</span>`;
}
