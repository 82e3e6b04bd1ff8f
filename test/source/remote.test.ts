import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { normaliseRemote, redactRemote, redactUrl } from "../../src/source/remote.ts";

describe("the repository that a remote names", () => {
  test.each<[string, string]>([
    ["https://github.com/o/Repo.git", "github.com/o/Repo"],
    ["git@github.com:o/Repo.git", "github.com/o/Repo"],
    [" https://GitHub.com/o/r \n", "github.com/o/r"],
    ["HTTPS://github.com/o/r", "github.com/o/r"],
    // One spelling for slashes and the suffix.
    ["https://h/o/r.git/", "h/o/r"],
    ["https://h//o///r//", "h/o/r"],
    ["https://h/o/r.git.git", "h/o/r.git"],
    ["https://h/o/r/.git", "h/o/r"],
    ["https://h/o/r .git ", "h/o/r"],
    ["https://h/o/rgit", "h/o/rgit"],
    ["https://h/a.github/r", "h/a.github/r"],
    [`https://h/${"a".repeat(4086)}`, `h/${"a".repeat(4086)}`],
    // Credentials.
    ["https://user:p%40ss@h/o/r", "h/o/r"],
    ["https://a:b@c:d@h/o/r", "h/o/r"],
    ["https://oauth2:glpat-x@h:8443/o/r", "h:8443/o/r"],
    ["https://token@h/o/r", "h/o/r"],
    ["https://:secret@h/o/r", "h/o/r"],
    ["https://user@corp:secret@h/o/r.git?x=1", "h/o/r"],
    ["https://h/o/r?access_token=secret", "h/o/r"],
    ["https://h/o/r.git#secret", "h/o/r"],
    ["https://h/o/r.git?", "h/o/r"],
    ["https://h/o/r#", "h/o/r"],
    ["https://h/o/r/?a#b?c", "h/o/r"],
    ["git@h:o/r?secret", "h/o/r"],
    // `@` and `~` in the path.
    ["https://h/o/@scope/r", "h/o/@scope/r"],
    ["https://h/@o/r", "h/@o/r"],
    ["https://h/o/r@v1", "h/o/r@v1"],
    ["https://token@h/o/r@v1", "h/o/r@v1"],
    ["git@h:o/@scope/r@v1", "h/o/@scope/r@v1"],
    ["ssh://git@h/~u/r.git", "h/~u/r"],
    ["git@h:~u/r.git", "h/~u/r"],
    ["ssh://git@h/~/r", "h/~/r"],
    // Hosts and ports.
    ["https://h.:443/o/r", "h/o/r"],
    ["https://H.Example./o/r", "h.example/o/r"],
    ["http://h:80/o/r", "h/o/r"],
    ["http://h:443/o/r", "h:443/o/r"],
    ["https://h:0443/o/r", "h/o/r"],
    ["https://h:/o/r", "h/o/r"],
    ["ssh://git@h:22/o/r", "h/o/r"],
    ["ssh://git@h:2222/o/r", "h:2222/o/r"],
    ["git+ssh://git@h:22/o/r", "h/o/r"],
    ["ssh+git://git@h/o/r", "h/o/r"],
    ["git://h:9418/o/r.git", "h/o/r"],
    ["git+http://h:80/o/r", "h/o/r"],
    ["git+https://h:443/o/r", "h/o/r"],
    ["ssh+git://git@h:22/o/r", "h/o/r"],
    ["ftp://h:21/o/r", "h/o/r"],
    ["ftps://h:990/o/r", "h/o/r"],
    ["https://h:1/o/r", "h:1/o/r"],
    ["https://h:65535/o/r", "h:65535/o/r"],
    ["https://[::]/o/r", "[::]/o/r"],
    ["https://[2001:db8::1]/o/r", "[2001:db8::1]/o/r"],
    ["https://[::ffff:10.0.0.1]/o/r", "[::ffff:10.0.0.1]/o/r"],
    ["ssh://git@[::1]:22/o/r", "[::1]/o/r"],
    ["https://[FE80::A]:8443/o/r", "[fe80::a]:8443/o/r"],
    ["https://m\u00fcnchen.example/o/r", "m\u00fcnchen.example/o/r"],
    // The scp form.
    ["h:o/r", "h/o/r"],
    ["host:/abs/r.git", "host/abs/r"],
    ["git@h:2222/o/r", "h/2222/o/r"],
    ["git@[::1]:o/r", "[::1]/o/r"],
    ["[::1]:o/r", "[::1]/o/r"],
    ["[h:2222]:o/r", "h:2222/o/r"],
    ["[git@h:22]:o/r", "h/o/r"],
    ["git@[h]:o/r", "h/o/r"],
    ["@[::1]:o/r", "[::1]/o/r"],
    ["[@h]:o/r", "h/o/r"],
    ["[h:]:o/r", "h/o/r"],
    ["a@b@h:o/r", "h/o/r"],
    ["x:https://h/o/r", "x/https:/h/o/r"],
    ["git@ssh.dev.azure.com:v3/org/my%20proj/r", "ssh.dev.azure.com/v3/org/my%20proj/r"],
    ["https://org@dev.azure.com/org/my%20proj/_git/r", "dev.azure.com/org/my%20proj/_git/r"],
  ])("%j is %s", (url, repo) => {
    expect(normaliseRemote(url)).toEqual({ repo });
  });

  test.each(
    "/srv/git/r.git ./r ../r . .. r o/r ~/r ~u/r //h/o/r file:///home/u/r FILE://h/r file:/r C:/r c:\\r C: \\\\h\\s\\r a\\b:c r.bundle a/b:c".split(
      " ",
    ),
  )("%j is a local path", (url) => {
    expect(normaliseRemote(url)).toEqual({ repo: null, reason: "local_remote" });
  });

  test.each([
    "",
    " ",
    "codecommit::us-east-1://MyRepo",
    "ext::sh -c 'x'",
    "gcrypt::ssh://h/o/r",
    "::h/o/r",
    "s3://bucket/r",
    "svn+ssh://h/o/r",
    "https://",
    "https:///o/r",
    "https://h",
    "https://h/",
    "https://h/.git",
    "https://h?o/r",
    "git@h:",
    ":o/r",
    "@h:",
    "https://h:0/o/r",
    "https://h:65536/o/r",
    "https://h:x/o/r",
    "https://a..b/o/r",
    "https://.h/o/r",
    "https://-oProxyCommand/o/r",
    "-oProxyCommand=x:o/r",
    "https://h h/o/r",
    "https://h%00/o/r",
    "https://[::1/o/r",
    "https://[h]/o/r",
    "https://[fe80::1%25eth0]/o/r",
    "https://h/o\u0000/r",
    "https://h/o\nr",
    "https://h/o\u001b[31m/r",
    "https://h/o/\u202er",
    "git@h:o/r\u0007x",
    `https://h/${"a".repeat(4087)}`,
    "a://h/o/r",
    "a://",
    "a]b:o/r",
    "git@[a[b]:o/r",
    "[x:y[b]:o/r",
    "https://[x[::1]/o/r",
    "https://[:1]/o/r",
    "https://[a:1]/o/r",
    "https://[1.2]/o/r",
  ])("%j is no repository's address", (url) => {
    expect(normaliseRemote(url)).toEqual({ repo: null, reason: "unsupported_remote" });
  });

  // Git would take the first half of the password for a host or a path, and so would the record.
  test.each([
    "https://user:p/ss@h/o/r",
    "https://user:22/ss@h/o/r",
    "https://user:22?ss@h/o/r",
    "https://user:22/p#ss@h/o/r",
    "https://user:/ss@h/o/r",
    "https://user:a@b/ss@h/o/r",
    "https://tok/en@h/o/r",
    "https://tok/en?x@h/o/r",
    "https://user:22/ss@h",
    "https://tok?@h/o/r",
    "https://tok?en@/r",
    "https://tok/en@/r",
    "user@corp:se@:o/r",
    "user:secret@h:o/r",
    "user:secret@h/o/r",
    "user:s@cret@h:o/r",
    "user@corp:secret@h:o/r",
    "https:/user:secret@h/o/r",
  ])("%j is refused: what is password and what is path cannot be told", (url) => {
    expect(normaliseRemote(url)).toEqual({ repo: null, reason: "unsupported_remote" });
  });

  const folder = process.env["WAYBILL_CONFORMANCE"];
  test.skipIf(folder === undefined)("conformance: the recommended form", () => {
    const { cases }: { cases: { url: string; recommended: string | null }[] } = JSON.parse(
      readFileSync(join(folder ?? "", "remotes.json"), "utf8"),
    );
    expect(cases.length).toBeGreaterThan(20);
    expect(cases.filter(({ url, recommended }) => normaliseRemote(url).repo !== recommended)).toEqual([]);
  });
});

describe("what git prints", () => {
  test.each<[string, string]>([
    ["fatal: not a git repository", "fatal: not a git repository"],
    [
      "fatal: unable to access 'https://user:p@ss@h/o/r/': Could not resolve host: h",
      "fatal: unable to access 'https://***@h/o/r/': Could not resolve host: h",
    ],
    [
      "fatal: repository 'https://h/o/r?token=secret/' not found",
      "fatal: repository 'https://h/o/r?***' not found",
    ],
    ["remote: see https://h/help#anchor.", "remote: see https://h/help#***."],
    ["Authentication failed for 'https://h:8443/o/r'", "Authentication failed for 'https://h:8443/o/r'"],
    ["connect to https://h:8443: refused", "connect to https://h:8443: refused"],
    ["https://[::1]:8443/o/r and https://[::1]", "https://[::1]:8443/o/r and https://[::1]"],
    ["https://h/o/@scope/r@v1", "https://h/o/@scope/r@v1"],
    ["https://user:p/ss@h/o/r", "https://***@h/o/r"],
    ["https://user:a@b/ss@h/o/r", "https://***@h/o/r"],
    ["https://tok/en@h/o/r", "https://***@h/o/r"],
    ["https://user:secr", "https://***"],
    ["'https://h/o?token=a@b/'", "'https://***'"],
    ["'https://user:22?p@h/o'", "'https://***'"],
    ["https://a:b@h/o,https://c:d@h/o", "https://***@h/o"],
    ["x:secret@h,https://h/o", "***@h,https://h/o"],
    ["'user:s@cret@h:o/r' does not appear", "'***@h:o/r' does not appear"],
    ["git@github.com: Permission denied (publickey).", "git@github.com: Permission denied (publickey)."],
    ["from git@h:o/r.git", "from git@h:o/r.git"],
    ["h/o/r?access_token=secret gone", "h/o/r?*** gone"],
    ["did you mean 'status'?", "did you mean 'status'?"],
    ["two\nhttps://u:p@h/o\nlines", "two\nhttps://***@h/o\nlines"],
    ["remote:https://user:secr", "remote:https://***"],
    ["u:p://x@a://b?token", "***@a://b?***"],
    // In quotes a URL goes on behind a space, and so does a password.
    ["unable to access 'https://u:se cret@h/o/r/': x", "unable to access 'https://***@h/o/r/': x"],
    ["'https://h/o/my r/' and 'u@h' x", "'https://h/o/my r/' and 'u@h' x"],
    ["it's https://h/o and 'https://u:p q@h'", "it's https://h/o and 'https://***@h'"],
    ["'://me:pass word@h/o': gone", "'://***@h/o': gone"],
    ["h/o/r?x and a=b?c", "h/o/r?x and a=b?c"],
    ["connect to https://h:, gone", "connect to https://h:, gone"],
    [":x://b@h/o", "***@h/o"],
    ["https://tok?@h/o/r", "https://***"],
    // A password may hold what looks like the end of a scheme.
    ["'user:a://b@h.org/o/r/': gone", "'***@h.org/o/r/': gone"],
  ])("%j", (text, shown) => {
    expect(redactRemote(text)).toBe(shown);
  });

  test("a URL alone, in which a space is a part of it", () => {
    expect(redactUrl("https://u:se cret@h/o/r")).toBe("https://***@h/o/r");
    expect(redactUrl("https://h/o/my r")).toBe("https://h/o/my r");
    expect(redactUrl("https://h/o/r?a b")).toBe("https://h/o/r?***");
  });

  test("long words cost nothing", () => {
    for (const piece of ["@", "'", "[", "a", ":", "?", "/@", "://"]) {
      const text = `https://${piece.repeat(300_000)}`;
      expect(redactRemote(redactRemote(text))).toBe(redactRemote(text));
      expect(normaliseRemote(text).repo).toBeNull();
    }
  });
});
