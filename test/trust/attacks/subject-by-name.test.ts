import { expect, test } from "bun:test";
import { formatEnvelope } from "../../../src/trust/dsse.ts";
import type { Subject } from "../../../src/trust/statement.ts";
import { APP, codesOf, digestOf, envelopeOf, judge, statement } from "../attestations.ts";

function about(...subjects: Subject[]): string {
  return formatEnvelope(envelopeOf(statement({ subjects })));
}

const others: [string, Subject[]][] = [
  ["the right name and another digest", [{ name: "app", digest: { sha256: digestOf("other") } }]],
  ["the right digest as a name", [{ name: APP, digest: { sha256: digestOf("other") } }]],
  ["only a sha512", [{ name: "app", digest: { sha512: APP + APP } }]],
  ["the right digest under another algorithm", [{ name: "app", digest: { gitTree: APP, dirHash: APP } }]],
  ["the right digest in upper case", [{ name: "app", digest: { sha256: APP.toUpperCase() } }]],
  ["the right digest with its algorithm before it", [{ name: "app", digest: { sha256: `sha256:${APP}` } }]],
  ["a prefix of the right digest", [{ name: "app", digest: { sha256: APP.slice(0, 32) } }]],
  [
    "many subjects, one of them by name",
    [
      { name: "lib", digest: { sha256: digestOf("lib") } },
      { name: "app", digest: { sha256: digestOf("old app") } },
    ],
  ],
];

test.each(others)("%s is about something else", (_what, subjects) => {
  const verdict = judge(about(...subjects));
  expect(verdict.accepted).toEqual([]);
  expect(codesOf(verdict)).toEqual(["subject_mismatch"]);
  expect(verdict.refusals[0]?.exitCode).toBe(6);
});

test("the digest decides, whatever the name is and whatever stands beside it", () => {
  const [accepted] = judge(
    about(
      { name: "lib", digest: { sha256: digestOf("lib") } },
      { name: "x", digest: { sha256: APP, madeUp: "1" } },
    ),
  ).accepted;
  expect(accepted?.subject.name).toBe("x");
  const [twice] = judge(
    about({ name: "first", digest: { sha256: APP } }, { name: "second", digest: { sha256: APP } }),
  ).accepted;
  expect(twice?.subject.name).toBe("first");
});
