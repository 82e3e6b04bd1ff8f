import type { TokenBounds } from "../tokens/token-bounds.ts";
import { html, type Html } from "./html.ts";
import { STYLE_PATH } from "./style.ts";

/** Who looks at a page, and what of it their token shows. */
export type Viewer = {
  /** The name of the token, if it has one, and `api-token-<8 hex>`. */
  readonly actor: string;
  /** The environment of the token, which is all that the API tells it of. */
  readonly env: string;
  /** The environments that this token shows. */
  readonly envs: readonly string[];
  readonly sees: {
    readonly pins: boolean;
    readonly builds: boolean;
    readonly addons: boolean;
    readonly hosts: boolean;
    readonly attestations: boolean;
    /** Every event of these environments, not those about pins alone. */
    readonly all: boolean;
  };
  /** The names that it is confined to. */
  readonly bounds: TokenBounds;
  /** Where this server was reached, for commands to copy. */
  readonly origin: string;
};

const POLICY =
  "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** A whole document. `viewer` is null for somebody who has not signed in. */
export function page(title: string, viewer: Viewer | null, body: Html, status = 200): Response {
  const text = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="icon" href="data:," />
        <title>${title} · waybill</title>
        <link rel="stylesheet" href="${STYLE_PATH}" />
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        ${viewer === null ? null : banner(viewer)}
        <main id="content">${body}</main>
      </body>
    </html> `.text;
  return new Response(text, {
    status,
    headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": POLICY },
  });
}

function banner({ actor, envs, sees }: Viewer): Html {
  return html`<header>
    <nav aria-label="Pages">
      <a class="brand" href="/">waybill</a>${sees.builds ? html`<a href="/builds">Builds</a>` : null}${
        sees.addons || sees.hosts ? html`<a href="/hosts">Hosts</a>` : null
      }<a href="/events">History</a>
    </nav>
    <form role="search" action="/search" method="get">
      <label for="q">Find</label
      ><input
        id="q"
        name="q"
        type="search"
        placeholder="digest, commit, template, build, host"
        autocomplete="off"
      /><button>Find</button>
    </form>
    <form action="/sign-out" method="post">
      <span class="quiet">${actor}, ${envs.join(", ")}</span> <button>Sign out</button>
    </form>
  </header>`;
}

/** A table that scrolls by itself where it is too wide. On a phone the rows of a `board` are blocks. */
export function table(
  caption: string,
  columns: readonly string[],
  rows: readonly Html[],
  kind: "board" | "plain" = "plain",
): Html {
  return html`<div class="scroll">
    <table class="${kind}">
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map((column) => html`<th scope="col">${column}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

/** An instant for people: UTC, to the second; the exact one is in the element. */
export function instant(at: string): Html {
  return html`<time datetime="${at}">${at.slice(0, 19).replace("T", " ")}</time>`;
}

/** A digest or commit cut to what people compare, whole in its title. */
export function short(text: string, length = 12): Html {
  return html`<code title="${text}">${text.replace(/^sha256:/u, "").slice(0, length)}</code>`;
}

/** A command to copy. */
export function command(words: string): Html {
  return html`<pre class="command"><code>${words}</code></pre>`;
}

/** A link to what the API says of a thing of `env`; the session opens those of its own environment alone. */
export function apiLink(to: string, text: string, env: string, viewer: Viewer): Html {
  return env === viewer.env
    ? html`<a href="${to}">${text}</a>`
    : html`${text} <span class="quiet">(with a token for ${env})</span>`;
}
