import { html, type Html } from "./html.ts";

/** The one page for everybody. `problem` says why the last try was refused; `to` is the page to go on to. */
export function signInView(problem: string | null, to: string): Html {
  return html`<form class="sign-in" action="/sign-in" method="post">
    <h1>waybill</h1>
    <p>
      What runs where, and why. Sign in with a token of this control plane; what it may read is what you see.
    </p>
    ${problem === null ? null : html`<p class="mark bad" role="alert">${problem}</p>`}
    <label for="token">Token</label>
    <input
      id="token"
      name="token"
      type="password"
      autocomplete="current-password"
      required
      autofocus
      spellcheck="false"
    />
    <input type="hidden" name="to" value="${to}" />
    <button>Sign in</button>
    <p class="quiet">
      A token for looking:
      <code>waybill token new --scope pins:read --scope builds:read --scope addons:read</code>
    </p>
  </form>`;
}
