import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import type { JsonValue } from "../../src/base/json.ts";
import type { FailureCode } from "../../src/base/exit-codes.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { findRow, numberOf, readListing } from "../../src/pins/listing.ts";
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
const good = JSON.stringify(GOOD);

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

  test("of a server that writes an empty commit where none was sent names none", () => {
    expect(find(pins(row(NEW, { git_sha: "" }))).gitSha).toBeNull();
  });

  test("shows how the listing departs from those of today, and a state", () => {
    expect(find(JSON.stringify([row(NEW, { state: "held" })]))).toMatchObject({
      state: "held",
      remarks: ["bare_array"],
    });
    expect(find(pins(row(NEW, { region: undefined }))).remarks).toEqual(["region_missing"]);
    expect(find(JSON.stringify([row(NEW, { region: undefined })])).remarks).toEqual([
      "bare_array",
      "region_missing",
    ]);
  });

  test("shows the regions that have another digest, of the global row alone", () => {
    const rows = pins(
      GOOD,
      row(NEW, { region: "eu" }),
      row(OLD, { region: "us" }),
      row(OLD, { region: 7 }),
      row(undefined, { region: "ap" }),
      row(OLD, { region: "us", template_name: "hermes" }),
    );
    expect(find(rows).shadows).toEqual([
      { region: "us", digest: `"${OLD}"` },
      { region: "7", digest: `"${OLD}"` },
      { region: "ap", digest: "null" },
    ]);
    expect(find(rows, { template: "codex", region: "us" }).shadows).toEqual([]);
  });

  test("of just as many rows as a listing may have", () => {
    const body = `[${good}${",{}".repeat(LIMITS.pinRows - 1)}]`;
    expect(find(body).digest).toBe(NEW);
  });

  test("of a region, when a region is wanted", () => {
    const body = pins(row(OLD), row(NEW, { region: "eu" }));
    expect(find(body, { template: "codex", region: "eu" }).digest).toBe(NEW);
  });
});

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
    ["too many rows", `[${good}${",{}".repeat(LIMITS.pinRows)}]`, "answer_malformed", "more than 50000 rows"],
    [
      "too many bytes",
      `${" ".repeat(LIMITS.pinListingBytes)}${pins(GOOD)}`,
      "answer_not_json",
      "larger than",
    ],
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

  test("says that there is no type, and that a listing without rows has none", () => {
    expect(refused(() => find("<html>", WANTED, null)).message).toContain('("no content type")');
    expect(refused(() => find(pins())).message).toBe("no pin for codex; the listing has 0 rows");
    expect(refused(() => find(pins({}, row(NEW, { template_name: "x" })))).message).toBe(
      'no pin for codex; the listing has 2 rows: "x"',
    );
  });

  test("offers a template with a similar name, of those that can be one", () => {
    const hint = (wanted: string, there: string): string | undefined =>
      refused(() => find(pins(row(NEW, { template_name: there })), { template: wanted, region: "global" }))
        .hint;
    const long = "a".repeat(64);
    const none = "check the template's name, and that the promotion ran";
    expect(hint("codex", "codexx")).toBe('did you mean "codexx"? if not, check that the promotion ran');
    expect(hint("codex", "hermes")).toBe(none);
    expect(hint(`${long.slice(1)}b`, long)).toStartWith("did you mean");
    expect(hint(long, `${long}a`)).toBe(none);
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

describe("a build number", () => {
  const numbers: [unknown, number | null][] = [
    [0, 0],
    [41, 41],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    [-1, null],
    [1.5, null],
    [2 ** 53, null],
    ["41", null],
    [null, null],
    [undefined, null],
  ];
  test.each(numbers)("%p is %p", (value, wanted) => {
    expect(numberOf(value as JsonValue | undefined)).toBe(wanted);
  });
});

describe("a whole listing", () => {
  const read = (...rows: readonly unknown[]): PinRow[] =>
    readListing(new TextEncoder().encode(pins(...rows)), null);

  test("has every row, each with its own region", () => {
    const rows = [
      GOOD,
      row(OLD, { region: "eu" }),
      row(FOREIGN, { template_name: "hermes", region: undefined }),
    ];
    expect(read(...rows).map(({ template, region, digest }) => [template, region, digest])).toEqual([
      ["codex", "global", NEW],
      ["codex", "eu", OLD],
      ["hermes", "global", FOREIGN],
    ]);
    expect(read()).toEqual([]);
  });

  test("counts no row of a region as one beside the global one", () => {
    expect(read(GOOD, row(OLD, { region: "eu" })).map(({ shadows }) => shadows)).toEqual([[], []]);
  });

  const wrong: [string, unknown[], FailureCode, string][] = [
    ["one place twice", [GOOD, row(OLD)], "answer_ambiguous", "two rows for codex in global"],
    ["no template", [row(NEW, { template_name: undefined })], "answer_malformed", "template null in region"],
    [
      "a template that is a number",
      [row(NEW, { template_name: 7 })],
      "answer_malformed",
      "template 7 in region",
    ],
    ["a region that is null", [row(NEW, { region: null })], "answer_malformed", '"codex" in region null'],
    ["no digest", [row(undefined)], "answer_malformed", "the digest of codex is null"],
  ];
  test.each(wrong)("is refused with %s", (_what, rows, code, message) => {
    const failure = refused(() => read(...rows));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(message);
  });
});
