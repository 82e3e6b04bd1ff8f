import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { normaliseRemote, redactRemote } from "../../src/source/remote.ts";

const RUNS = { numRuns: 3000 };
const SIGNS = "0123456789xyzXYZ%-._~:/?#[]@!$&'()*+,;=".split("");

const secret = fc
  .array(fc.constantFrom(...SIGNS), { minLength: 1, maxLength: 12 })
  .map((signs) => signs.join(""));
const user = fc.constantFrom("user", "x-token", "u%40corp", "git", "");
const address = fc.constantFrom(
  "h.abc/abc/def",
  "abc:8443/abc/def.git",
  "[::a]/abc/def",
  "abc/abc/@def",
  "abc/def@abc",
);
const scheme = fc.constantFrom("https", "http", "ssh", "git+ssh");

describe("no password survives", () => {
  test("in a repository's name: it is that of the address, or there is none", () => {
    fc.assert(
      fc.property(scheme, user, secret, address, (scheme, user, secret, address) => {
        const found = normaliseRemote(`${scheme}://${user}:${secret}@${address}`).repo;
        expect([null, normaliseRemote(`${scheme}://${address}`).repo]).toContain(found);
      }),
      RUNS,
    );
  });

  test("in the scp form", () => {
    fc.assert(
      fc.property(user, secret, (user, secret) => {
        const found = normaliseRemote(`${user}:${secret}@abc:abc/def`);
        expect(found.repo).toBeNull();
      }),
      RUNS,
    );
  });

  test("in a query or a fragment", () => {
    fc.assert(
      fc.property(fc.constantFrom("?token=", "#", "?", "/?a&b="), secret, (mark, secret) => {
        const found = normaliseRemote(`https://abc/abc/def${mark}${secret}`).repo;
        expect([null, "abc/abc/def"]).toContain(found);
      }),
      RUNS,
    );
  });

  test("in what git prints", () => {
    const long = secret.filter((text) => text.length > 3 && /[0-9xyz]{2}/iu.test(text));
    fc.assert(
      fc.property(
        user,
        long,
        address,
        fc.constantFrom("https://", "ssh://", ""),
        (user, secret, address, scheme) => {
          // `git://x/@h` is a URL without a user.
          fc.pre(scheme !== "" || !secret.startsWith("//"));
          const shown = redactRemote(
            `fatal: unable to access '${scheme}${user}:${secret}@${address}/': refused`,
          );
          expect(shown).not.toContain(secret);
          expect(shown).toEndWith(": refused");
          expect(redactRemote(`'https://abc/def?token=${secret}/': gone`)).not.toContain(secret);
        },
      ),
      RUNS,
    );
  });
});

describe("a name", () => {
  const rest = fc.array(fc.constantFrom(...SIGNS, "A", "B", "C", " ", ".git", "//", "\u00e9"), {
    maxLength: 14,
  });
  const remote = fc
    .tuple(
      fc.constantFrom("https://", "ssh://git@", "git@", "", "git://"),
      fc.constantFrom("H.x", "[::A]", "h.:22"),
      rest,
    )
    .map(
      ([head, host, rest]) =>
        `${head}${host}${head.endsWith("/") || head.endsWith("//git@") ? "/" : ":"}${rest.join("")}`,
    );

  test("is its own name, but for what only another scheme or suffix explains", () => {
    fc.assert(
      fc.property(remote, (url) => {
        const { repo } = normaliseRemote(url);
        // Port 443 means nothing to https and something to ssh; one `.git` of two is kept and would go next time.
        if (repo === null || /^(?:[^/[]+|\[[^\]]*\]):443\/|\.git$/u.test(repo)) return;
        // Behind a port an `@` may end a password, so that such a URL is refused; ssh paths may have one.
        if (/^(?:[^/[]+|\[[^\]]*\]):[0-9]+\/.*@/u.test(repo) || /[^/]@[^/]*\//u.test(repo)) return;
        expect([url, normaliseRemote(`https://${repo}`)]).toEqual([url, { repo }]);
      }),
      { numRuns: 5000 },
    );
  });

  test("has a host in lower case, a path, and nothing that a terminal or URL acts on", () => {
    fc.assert(
      fc.property(fc.oneof(remote, fc.string(), fc.webUrl()), (url) => {
        const { repo } = normaliseRemote(url);
        if (repo === null) return;
        expect(repo).not.toMatch(/[?#\u0000-\u001f\u007f-\u009f]|\/\/|\/$|^\//u);
        expect(repo).toMatch(/^[^/A-Z]+\/./u);
      }),
      RUNS,
    );
  });
});
