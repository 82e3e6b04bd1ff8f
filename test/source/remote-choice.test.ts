import { describe, expect, test } from "bun:test";
import {
  chooseRepo,
  REMOTE_SETTINGS,
  setting,
  settingsOf,
  type Settings,
} from "../../src/source/remote-choice.ts";

const ORIGIN = ["remote.origin.url", "https://h/o/origin"] as const;
const FORK = ["remote.fork.url", "https://h/o/fork"] as const;
const BARE = ["remote.bare.url", "/srv/r.git"] as const;
const DOTTED = ["remote.a.b\nc.url", "https://h/o/dotted"] as const;

describe("the repository of a branch", () => {
  test.each<[string, Settings, string | null, string]>([
    ["no remote", [], "refs/heads/main", "no_remote"],
    [
      "only other settings",
      [
        ["remote.origin.fetch", "x"],
        ["xremote.a.url", "https://h/o/r"],
        ["remote.a.urls", "https://h/o/r"],
      ],
      null,
      "no_remote",
    ],
    ["the only one", [FORK], "refs/heads/main", "h/o/fork"],
    ["no branch, and one called null", [ORIGIN, FORK, ["branch.null.remote", "fork"]], null, "h/o/origin"],
    [
      "a ref of another kind",
      [ORIGIN, FORK, ["branch.refs/x/main.remote", "fork"]],
      "refs/x/refs/heads/main",
      "h/o/origin",
    ],
    ["origin before others", [FORK, ORIGIN], "refs/heads/main", "h/o/origin"],
    [
      "what the branch tracks before origin",
      [ORIGIN, FORK, ["branch.main.remote", "fork"]],
      "refs/heads/main",
      "h/o/fork",
    ],
    [
      "the last that it tracks",
      [ORIGIN, FORK, ["branch.a.remote", "x"], ["branch.a.remote", "fork"]],
      "refs/heads/a",
      "h/o/fork",
    ],
    [
      "what another branch tracks, not",
      [ORIGIN, FORK, ["branch.main.remote", "fork"]],
      "refs/heads/dev",
      "h/o/origin",
    ],
    ["no branch", [ORIGIN, FORK, ["branch.main.remote", "fork"]], null, "h/o/origin"],
    ["a branch with a slash", [ORIGIN, FORK, ["branch.a/b.remote", "fork"]], "refs/heads/a/b", "h/o/fork"],
    [
      "a branch below another's name",
      [ORIGIN, FORK, ["branch.refs/heads/a.remote", "fork"]],
      "refs/heads/refs/heads/a",
      "h/o/fork",
    ],
    [
      "a branch that tracks nothing here",
      [ORIGIN, FORK, ["branch.main.remote", "gone"]],
      "refs/heads/main",
      "h/o/origin",
    ],
    // As `gh pr checkout` leaves it: what is no configured name is the URL itself.
    [
      "a URL that the branch tracks",
      [ORIGIN, ["branch.main.remote", "https://u:p@h/o/fork.git"]],
      "refs/heads/main",
      "h/o/fork",
    ],
    [
      "a URL that the branch tracks, without remotes",
      [["branch.main.remote", "git@h:o/fork.git"]],
      "refs/heads/main",
      "h/o/fork",
    ],
    [
      "a URL that the branch tracks and that hides a password",
      [ORIGIN, ["branch.main.remote", "https://u:p/w@h/o/fork"]],
      "refs/heads/main",
      "unsupported_remote",
    ],
    [
      "a remote called like a URL",
      [ORIGIN, ["remote.h:x.url", "https://h/o/named"], ["branch.main.remote", "h:x"]],
      "refs/heads/main",
      "h/o/named",
    ],
    [
      "a path that the branch tracks",
      [ORIGIN, ["branch.main.remote", "/srv/r.git"]],
      "refs/heads/main",
      "h/o/origin",
    ],
    ["nothing that the branch tracks", [ORIGIN, ["branch.main.remote", ""]], "refs/heads/main", "h/o/origin"],
    ["a drive", [ORIGIN, ["branch.main.remote", "C:/r"]], "refs/heads/main", "h/o/origin"],
    ["the first of several URLs", [ORIGIN, ["remote.origin.url", "https://h/o/second"]], null, "h/o/origin"],
    [
      "the first after an empty one, which takes back those before it",
      [ORIGIN, ["remote.origin.url", ""], ["remote.origin.url", "https://h/o/second"]],
      null,
      "h/o/second",
    ],
    [
      "one whose URL is taken back",
      [FORK, ["remote.x.url", "https://h/x"], ["remote.x.url", ""]],
      null,
      "h/o/fork",
    ],
    ["several, none called origin", [FORK, BARE], null, "ambiguous_remote"],
    ["a name with dots and line feeds", [DOTTED], null, "h/o/dotted"],
    ["a local one", [BARE], null, "local_remote"],
    ["what is no address", [["remote.origin.url", "ext::sh"]], null, "unsupported_remote"],
    ["a name that is empty", [["remote..url", "https://h/o/empty"]], null, "h/o/empty"],
    [
      "one of those that nobody names",
      [["remote..url", "https://h/o/empty"], FORK],
      null,
      "ambiguous_remote",
    ],
    [
      "no branch, and one called undefined",
      [ORIGIN, FORK, ["branch.undefined.remote", "fork"]],
      null,
      "h/o/origin",
    ],
  ])("%s", (_, settings, head, wanted) => {
    const { value, reason } = chooseRepo(settings, head);
    expect(value ?? reason).toBe(wanted);
    expect([value, reason]).toContain(null);
  });
});

test("settings are pairs, of which a name without a value is true", () => {
  const text = "a.b\nc\0a.b\nd\ne\0f.g\0h.i\n\0";
  const settings = settingsOf(Buffer.from(text));
  expect(settings).toEqual([
    ["a.b", "c"],
    ["a.b", "d\ne"],
    ["f.g", "true"],
    ["h.i", ""],
  ]);
  expect(["a.b", "f.g", "h.i", "b"].map((name) => setting(settings, name))).toEqual([
    "d\ne",
    "true",
    "",
    null,
  ]);
  expect(settingsOf(new Uint8Array())).toEqual([]);
});

test("what git is asked for is what the choice looks at", () => {
  const asked = new RegExp(REMOTE_SETTINGS, "su");
  const names = ["remote.a.url", "branch.a/b.remote", "remote.a.urls", "xbranch.a.remote", "remote.a.fetch"];
  expect(names.map((name) => asked.test(name))).toEqual([true, true, false, false, false]);
});
