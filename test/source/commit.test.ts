import { expect, test } from "bun:test";
import { readCommitObject } from "../../src/source/commit.ts";

const TREE = "a".repeat(40);
const PARENTS = ["b".repeat(40), "c".repeat(40)];

function commit(lines: readonly string[], message = "message"): Uint8Array {
  return new Uint8Array(Buffer.from([...lines, "", message].join("\n"), "latin1"));
}

test("a merge with its people and its time", () => {
  const bytes = commit([
    `tree ${TREE}`,
    ...PARENTS.map((id) => `parent ${id}`),
    "author A U Thor <author@example.com> 1700000000 +0200",
    "committer C O Mitter <c@example.com> 1700000001 -0330",
  ]);
  expect(readCommitObject(bytes)).toEqual({
    tree: TREE,
    parents: PARENTS,
    author: { name: "A U Thor", email: "author@example.com" },
    committedAt: "2023-11-14T22:13:21Z",
    signed: false,
  });
});

test("headers end at the empty line: a message cannot add any", () => {
  const bytes = commit([`tree ${TREE}`], `x\n\nparent ${PARENTS[0]}\ngpgsig y\n`);
  expect(readCommitObject(bytes)).toMatchObject({ parents: [], signed: false, author: null });
});

test("a signature is seen, its lines are not taken for headers", () => {
  const bytes = commit([
    `tree ${TREE}`,
    "gpgsig -----BEGIN PGP SIGNATURE-----",
    ` parent ${PARENTS[0]}`,
    " x",
  ]);
  expect(readCommitObject(bytes)).toMatchObject({ signed: true, parents: [] });
});

test.each([
  ["author J\u00fcrgen <j@x> 1 +0000", "encoding ISO-8859-1", "J\u00fcrgen"],
  ["author J\u00fcrgen <j@x> 1 +0000", "encoding no-such-thing", "J\ufffdrgen"],
  ["author J\u00c3\u00bcrgen <j@x> 1 +0000", "x y", "J\u00fcrgen"],
  ["author  <j@x> 1 +0000", "x y", ""],
])("%s with %s is %s", (author, encoding, name) => {
  const { author: found } = readCommitObject(commit([`tree ${TREE}`, author, encoding]));
  expect(found).toEqual({ name, email: "j@x" });
});

test.each(["committer C <c@x> 99999999999999 +0000", "committer C <c@x>", "committer nobody"])(
  "%s has no instant",
  (line) => {
    expect(readCommitObject(commit([`tree ${TREE}`, line])).committedAt).toBeNull();
  },
);

test("whatever the bytes are, it does not throw", () => {
  for (const text of ["", "\n\n", "tree", "\u0000\u00ff", "author <", "author >< 1 +0"]) {
    expect(readCommitObject(new Uint8Array(Buffer.from(text, "latin1"))).parents).toEqual([]);
  }
});
