import { isImageDigest } from "../base/digest.ts";
import { isMap } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import { parseJson, shownJson, type JsonMap, type JsonValue } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { nearest } from "../base/nearest.ts";
import { printable, quoted } from "../base/printable.ts";
import { GLOBAL_REGION, type PinRow, type WantedPin } from "./pin.ts";

/** How many of the templates or regions that are there a message names. */
const SHOWN_NAMES = 20;

/**
 * The one row for (template, region) in the body of a pin listing. Throws Failure: `row_missing` (7) when the
 * listing is well-formed and has none; `row_inconsistent` (8) when the row names two digests; a protocol code (10)
 * for everything else that is not exactly one row with a canonical digest. Nothing is repaired.
 */
export function findRow(
  body: Uint8Array,
  wanted: Pick<WantedPin, "template" | "region">,
  contentType: string | null,
): PinRow {
  const { rows, isBare } = parseListing(body, contentType);
  const named: JsonMap[] = [];
  const found: JsonMap[] = [];
  for (const row of rows) {
    if (row["template_name"] !== wanted.template) continue;
    named.push(row);
    if (regionOf(row) === wanted.region) found.push(row);
  }
  const [row] = found;
  if (row === undefined) throw missing(rows, named, wanted);
  if (found.length > 1) {
    throw new Failure(
      "answer_ambiguous",
      `the control plane has ${found.length} rows for ${wanted.template} in ${wanted.region}; wanted exactly one`,
      { hint: "no pin can be proven until the extra rows are removed on the server" },
    );
  }
  return readRow(row, wanted, isBare, named);
}

/** Every row of a listing, for an audit. Throws as `findRow` does; two rows of one (template, region) are refused. */
export function readListing(body: Uint8Array, contentType: string | null): PinRow[] {
  const { rows, isBare } = parseListing(body, contentType);
  const seen = new Set<string>();
  return rows.map((row) => {
    const [template, region] = [row["template_name"], regionOf(row)];
    if (!isPlainName(template) || !isPlainName(region) || region.includes("/"))
      throw malformed(`a row names template ${shownJson(template ?? null)} in region ${shownJson(region)}`);
    const key = JSON.stringify([template, region]);
    if (seen.has(key))
      throw new Failure("answer_ambiguous", `the control plane has two rows for ${template} in ${region}`);
    seen.add(key);
    return readRow(row, { template, region }, isBare, []);
  });
}

/** Whether a name is shown as it is: one that only looks like another would be compared, or told, as that one. */
function isPlainName(value: JsonValue | undefined): value is string {
  return typeof value === "string" && value !== "" && printable(value, 64) === value;
}

type Parsed = { readonly rows: readonly JsonMap[]; readonly isBare: boolean };

function parseListing(body: Uint8Array, contentType: string | null): Parsed {
  // A known way of this route to fail in silence: 200 with nothing in it.
  if (body.length === 0)
    throw new Failure("answer_empty", "the control plane answered 200 with an empty body");
  let value: JsonValue;
  try {
    value = parseJson(body, {
      what: "the pin listing",
      code: "answer_not_json",
      maxBytes: LIMITS.pinListingBytes,
    });
  } catch (error) {
    const type = contentType ?? "no content type";
    throw error instanceof Failure
      ? new Failure("answer_not_json", `${error.message} (${quoted(type, 60)})`, {
          hint: "is this the control plane, or a login page?",
        })
      : error;
  }
  // The API's description promises a bare array, every server sends the object: both are taken.
  const rows = Array.isArray(value) ? value : isMap(value) ? value["pins"] : undefined;
  if (!Array.isArray(rows)) throw malformed("it has no list of pins");
  if (rows.length > LIMITS.pinRows) throw malformed(`it has more than ${LIMITS.pinRows} rows`);
  const maps: JsonMap[] = [];
  for (const row of rows) {
    if (!isMap(row)) throw malformed(`row ${maps.length} is no object`);
    maps.push(row);
  }
  return { rows: maps, isBare: Array.isArray(value) };
}

/** Early servers write no region; theirs is the global one. */
function regionOf(row: JsonMap): JsonValue {
  const { region } = row;
  return region === undefined ? GLOBAL_REGION : region;
}

function readRow(
  row: JsonMap,
  wanted: Pick<WantedPin, "template" | "region">,
  isBare: boolean,
  named: readonly JsonMap[],
): PinRow {
  const digest = row["image_digest"];
  if (typeof digest !== "string" || !isImageDigest(digest)) {
    throw malformed(
      `the digest of ${wanted.template} is ${shownJson(digest ?? null)}; wanted sha256:<64 lower-case hex>`,
    );
  }
  const reference = row["image_ref"];
  if (typeof reference === "string" && reference.includes("@") && !reference.endsWith(`@${digest}`)) {
    throw new Failure(
      "row_inconsistent",
      `the row of ${wanted.template} contradicts itself: image_digest is ${digest}, image_ref is ${quoted(reference)}`,
    );
  }
  return {
    template: wanted.template,
    region: wanted.region,
    digest,
    // Servers write "" where none was sent.
    gitSha: row["git_sha"] === "" ? null : textOf(row["git_sha"]),
    seq: numberOf(row["seq"]),
    promotedAt: textOf(row["promoted_at"]),
    promotedBy: textOf(row["promoted_by"]),
    imageRef: textOf(reference),
    state: textOf(row["state"]),
    remarks: [
      ...(isBare ? (["bare_array"] as const) : []),
      ...(row["region"] === undefined ? (["region_missing"] as const) : []),
    ],
    shadows: wanted.region === GLOBAL_REGION ? shadowsOf(digest, named) : [],
  };
}

/** A region's own row goes before the global one, so what was proven of the global row does not hold there. */
function shadowsOf(digest: string, named: readonly JsonMap[]): PinRow["shadows"] {
  const shadows: { region: string; digest: string }[] = [];
  for (const row of named) {
    const region = regionOf(row);
    // Of the one global row as well.
    if (row["image_digest"] === digest) continue;
    shadows.push({
      region: typeof region === "string" ? printable(region, 64) : shownJson(region),
      digest: shownJson(row["image_digest"] ?? null),
    });
  }
  return shadows;
}

/** A build number; what is none is nothing, as if the server kept none. */
export function numberOf(value: JsonValue | undefined): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function missing(
  rows: readonly JsonMap[],
  named: readonly JsonMap[],
  wanted: Pick<WantedPin, "template" | "region">,
): Failure {
  if (named.length > 0) {
    const regions = named.slice(0, SHOWN_NAMES).map((row) => shownJson(regionOf(row)));
    return new Failure(
      "row_missing",
      `${wanted.template} has no pin in region ${wanted.region}; it has one in ${regions.join(", ")}`,
      {
        hint: "check --region",
      },
    );
  }
  const names = [...new Set(rows.map((row) => textOf(row["template_name"])).filter((name) => name !== null))];
  const shown = names.slice(0, SHOWN_NAMES).map((name) => quoted(name, 64));
  const there =
    rows.length === 0 ? "the listing has 0 rows" : `the listing has ${rows.length} rows: ${shown.join(", ")}`;
  const close = nearest(
    wanted.template,
    names.filter((name) => name.length <= 64),
  );
  return new Failure("row_missing", `no pin for ${wanted.template}; ${there}`, {
    hint:
      close === null
        ? "check the template's name, and that the promotion ran"
        : `did you mean ${quoted(close, 64)}? if not, check that the promotion ran`,
  });
}

function malformed(found: string): Failure {
  return new Failure("answer_malformed", `the pin listing is not understood: ${found}`);
}
