import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import type { FailureCode } from "../../src/base/exit-codes.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { findRow } from "../../src/pins/listing.ts";
import type { PinRow } from "../../src/pins/pin.ts";
import { FOREIGN, NEW, OLD, row } from "./rows.ts";
import { refused } from "./refused.ts";

const WANTED = { template: "codex", region: "global" };

function find(body: string | Uint8Array, wanted = WANTED, type: string | null = "application/json"): PinRow {
  return findRow(typeof body === "string" ? new TextEncoder().encode(body) : body, wanted, type);
}

function pins(...rows: readonly unknown[]): string {
  return JSON.stringify({ pins: rows });
}

const GOOD = row(NEW);

describe("a listing with the row", () => {
  const taken: [string, string | Uint8Array][] = [
    ["the object that every server sends", pins(GOOD)],
    ["the bare array of the API's description", JSON.stringify([GOOD])],
    [
      "rows of other templates and regions beside it",
      pins(row(OLD, { template_name: "hermes" }), GOOD, row(OLD, { region: "eu" })),
    ],
    ["a row without a region", pins(row(NEW, { region: undefined }))],
    ["unknown members", pins(row(NEW, { state: "held", version: 7 }))],
    ["a byte-order mark", Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(pins(GOOD))])],
    ["white space around", `\r\n\t ${pins(GOOD)} \n`],
    ["an image reference that agrees", pins(row(NEW, { image_ref: `registry.example/codex@${NEW}` }))],
    [
      "an image reference by tag, which says nothing",
      pins(row(NEW, { image_ref: "registry.example/codex:1" })),
    ],
    [
      "no time, or one of another shape",
      pins(row(NEW, { promoted_at: 7, promoted_by: null, git_sha: undefined })),
    ],
    ["names of Object.prototype", `{"__proto__":{"pins":[]},"pins":[${JSON.stringify(GOOD)}]}`],
  ];
  test.each(taken)("%s", (_what, body) => {
    expect(find(body)).toMatchObject({ template: "codex", region: "global", digest: NEW });
  });

  test("shows what the row says beside the digest", () => {
    expect(find(pins(GOOD))).toEqual({
      template: "codex",
      region: "global",
      digest: NEW,
      gitSha: "0123abc",
      seq: null,
      imageRef: null,
      state: null,
      remarks: [],
      shadows: [],
      promotedAt: "2026-08-11T03:50:52.42571Z",
      promotedBy: "api-token-00112233",
    });
  });

  test("of a region, when a region is wanted", () => {
    const body = pins(row(OLD), row(NEW, { region: "eu" }));
    expect(find(body, { template: "codex", region: "eu" }).digest).toBe(NEW);
  });
});

const good = JSON.stringify(GOOD);

describe("a listing that proves nothing", () => {
  const refusals: [string, string | Uint8Array, FailureCode, string][] = [
    ["no rows", pins(), "row_missing", "0 rows"],
    ["an empty array", "[]", "row_missing", "0 rows"],
    ["other templates only", pins(row(NEW, { template_name: "hermes" })), "row_missing", '"hermes"'],
    [
      "another spelling of the template",
      pins(row(NEW, { template_name: "Codex" })),
      "row_missing",
      '"Codex"',
    ],
    [
      "the template with a line break",
      pins(row(NEW, { template_name: "codex\n" })),
      "row_missing",
      "no pin for codex",
    ],
    ["another region only", pins(row(NEW, { region: "eu" })), "row_missing", '"eu"'],
    ["a region that is null", pins(row(NEW, { region: null })), "row_missing", "it has one in null"],
    [
      "a region that is an object",
      pins(row(NEW, { region: { a: 1 } })),
      "row_missing",
      "has no pin in region global",
    ],
    [
      "a region that is a list",
      pins(row(NEW, { region: ["global"] })),
      "row_missing",
      "has no pin in region global",
    ],

    ["two rows, the right one first", pins(GOOD, row(OLD)), "answer_ambiguous", "2 rows"],
    ["two rows, the right one last", pins(row(OLD), GOOD), "answer_ambiguous", "2 rows"],
    ["the same row twice", pins(GOOD, GOOD), "answer_ambiguous", "2 rows"],
    [
      "one row with the region and one without",
      pins(GOOD, row(NEW, { region: undefined })),
      "answer_ambiguous",
      "2 rows",
    ],

    ["a digest that is null", pins(row(null)), "answer_malformed", "null"],
    ["a digest that is missing", pins(row(undefined)), "answer_malformed", "null"],
    ["an empty digest", pins(row("")), "answer_malformed", '""'],
    ["a digest that is a number", pins(row(7)), "answer_malformed", "7"],
    ["a digest that is a list", pins(row([NEW])), "answer_malformed", "sha256:"],
    ["a digest that is an object", pins(row({ a: "##[error]x" })), "answer_malformed", "# #[error]x"],
    ["an upper-case digest", pins(row(NEW.toUpperCase())), "answer_malformed", "SHA256:"],
    [
      "upper-case hex",
      pins(row(`sha256:${"A".repeat(64)}`)),
      "answer_malformed",
      "wanted sha256:<64 lower-case hex>",
    ],
    ["a digest and a line break", pins(row(`${NEW}\n`)), "answer_malformed", NEW],
    ["a digest and a space", pins(row(`${NEW} `)), "answer_malformed", NEW],
    ["a digest after a space", pins(row(` ${NEW}`)), "answer_malformed", NEW],
    ["bare hex", pins(row(NEW.slice(7))), "answer_malformed", NEW.slice(7)],
    ["the beginning of a digest", pins(row(NEW.slice(0, 40))), "answer_malformed", NEW.slice(0, 40)],
    ["a digest with more after it", pins(row(`${NEW}0`)), "answer_malformed", NEW],
    ["a tag", pins(row("codex:latest")), "answer_malformed", '"codex:latest"'],

    [
      "an image reference of another digest",
      pins(row(NEW, { image_ref: `r.example/codex@${OLD}` })),
      "row_inconsistent",
      OLD,
    ],
    [
      "a name twice, the right value last",
      `{"pins":[{"image_digest":"${OLD}",${good.slice(1)}]}`,
      "answer_not_json",
      "a second member",
    ],
    [
      "a name twice in another spelling",
      `{"pins":[${good.slice(0, -1)},"image\\u005fdigest":"${OLD}"}]}`,
      "answer_not_json",
      "a second member",
    ],
    ["two lists of pins", `{"pins":[],"pins":[${good}]}`, "answer_not_json", "a second member"],

    ["nothing", "", "answer_empty", "empty body"],
    ["white space", " \n", "answer_not_json", "the text ends early"],
    ["a login page", "<!doctype html><title>Sign in</title>", "answer_not_json", "no JSON value"],
    ["JSON that is cut off", pins(GOOD).slice(0, -2), "answer_not_json", "not the JSON we take"],
    ["JSON with more after it", `${pins(GOOD)}]`, "answer_not_json", "more text after the value"],
    ["two documents", `${pins(GOOD)}\n${pins(GOOD)}`, "answer_not_json", "more text after the value"],
    ["a trailing comma", `{"pins":[${good},]}`, "answer_not_json", "no JSON value"],
    ["two byte-order marks", `\ufeff\ufeff${pins(GOOD)}`, "answer_not_json", "no JSON value"],
    ["UTF-16", Buffer.from(`\ufeff${pins(GOOD)}`, "utf16le"), "answer_not_json", "not valid UTF-8"],
    [
      "bytes that are no UTF-8",
      Buffer.from(pins(row(NEW, { notes: "ü" })), "latin1"),
      "answer_not_json",
      "not valid UTF-8",
    ],
    ["gzip", gzipSync(pins(GOOD)), "answer_not_json", "not valid UTF-8"],
    [
      "more levels than any listing has",
      `{"pins":${"[".repeat(1_000)}${"]".repeat(1_000)}}`,
      "answer_not_json",
      "more than 64 levels",
    ],

    ["no list", '{"error":"boom"}', "answer_malformed", "no list of pins"],
    ["a list by another name", `{"items":[${good}]}`, "answer_malformed", "no list of pins"],
    ["pins that are null", '{"pins":null}', "answer_malformed", "no list of pins"],
    ["pins that are an object", `{"pins":{"codex":${good}}}`, "answer_malformed", "no list of pins"],
    ["pins that are text", '{"pins":"codex"}', "answer_malformed", "no list of pins"],
    ["a number", "1", "answer_malformed", "no list of pins"],
    ["null", "null", "answer_malformed", "no list of pins"],
    ["a row that is null", `{"pins":[null,${good}]}`, "answer_malformed", "row 0 is no object"],
    ["a row that is text", `{"pins":[${good},"x"]}`, "answer_malformed", "row 1 is no object"],
    ["a row that is a list", `[[${good}]]`, "answer_malformed", "row 0 is no object"],
    ["too many rows", `[${good}${",{}".repeat(LIMITS.pinRows)}]`, "answer_malformed", "more than 10000 rows"],
    ["too many bytes", `${" ".repeat(LIMITS.apiAnswerBytes)}${pins(GOOD)}`, "answer_not_json", "larger than"],
  ];
  test.each(refusals)("%s", (_what, body, code, part) => {
    const failure = refused(() => find(body));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(part);
    expect(failure.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/u);
  });

  test("names the type of what is no JSON", () => {
    const failure = refused(() => find("<html>", WANTED, 'text/html; charset="::stop-commands::x"'));
    expect(failure.message).toContain('("text/html; charset=');
    expect(failure.message).not.toContain("::stop-commands::");
    expect(failure.hint).toBe("is this the control plane, or a login page?");
  });

  test("names at most twenty of the templates that are there", () => {
    const rows = Array.from({ length: 30 }, (_, index) => row(NEW, { template_name: `t${index}` }));
    const { message } = refused(() => find(pins(...rows)));
    expect(message).toContain("30 rows");
    expect(message.match(/"t\d+"/gu)).toHaveLength(20);
  });

  test("wants the region that was asked for, not the global row", () => {
    expect(refused(() => find(pins(GOOD), { template: "codex", region: "eu" })).code).toBe("row_missing");
    // A row without a region is the global one, whatever region is wanted.
    const bare = pins(row(NEW, { region: undefined }));
    expect(refused(() => find(bare, { template: "codex", region: "eu" })).code).toBe("row_missing");
  });

  test("takes no digest from another row", () => {
    const rows = pins(row(FOREIGN), row(NEW, { template_name: "hermes" }), row(NEW, { region: "eu" }));
    expect(find(rows).digest).toBe(FOREIGN);
  });
});
