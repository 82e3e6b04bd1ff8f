import { describe, expect, test } from "bun:test";
import { boundaryOf, fieldText, formParts } from "../../../src/control-plane/builds/multipart.ts";
import { WireRefusal } from "../../../src/control-plane/http/wire.ts";
import { rejection } from "../plane.ts";

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string | Uint8Array, size = 7): Promise<Record<string, string>> {
  const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : text;
  const found: Record<string, string> = {};
  for await (const part of formParts(chunked(bytes, size), "XX")) {
    const pieces: Uint8Array[] = [];
    for await (const chunk of part.chunks) pieces.push(chunk);
    const name = part.filename === null ? part.name : `${part.name}|${part.filename}`;
    found[name] = Buffer.concat(pieces).toString("latin1");
  }
  return found;
}

async function refusal(text: string): Promise<string> {
  try {
    await read(text);
  } catch (error) {
    if (error instanceof WireRefusal) return `${error.status} ${error.code}: ${error.message}`;
    throw error;
  }
  return "taken";
}

const FIELD = 'Content-Disposition: form-data; name="a"\r\n\r\n1';

describe("a form that is taken", () => {
  const cases: readonly (readonly [string, string, Record<string, string>])[] = [
    ["no part", "--XX--", {}],
    ["one field", `--XX\r\n${FIELD}\r\n--XX--\r\n`, { a: "1" }],
    ["an empty field", '--XX\r\ncontent-disposition: form-data; name="a"\r\n\r\n\r\n--XX--', { a: "" }],
    [
      "a file with a type",
      '--XX\r\nContent-Disposition: form-data; name="f"; filename="x.tgz"\r\nContent-Type: a/b\r\n\r\n\x00\xff\r\n--XX--',
      { "f|x.tgz": "\x00\xff" },
    ],
    ["what looks like its boundary", `--XX\r\n${FIELD}\r\n--X\r\n-XX\r\n--XX--`, { a: "1\r\n--X\r\n-XX" }],
    ["a line break at the end of a value", `--XX\r\n${FIELD}\r\n\r\n--XX--`, { a: "1\r\n" }],
    ["an unquoted name", "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--XX--", { a: "1" }],
    [
      "a quoted quote",
      '--XX\r\nContent-Disposition: form-data; name="a"; filename="\\"x;name=b"\r\n\r\n1\r\n--XX--',
      { 'a|"x;name=b': "1" },
    ],
  ];
  for (const [name, text, wanted] of cases) {
    for (const size of [1, 2, 3, 5, 64, 4096]) {
      test(`${name}, in chunks of ${size}`, async () => {
        expect(await read(Buffer.from(text, "latin1"), size)).toEqual(wanted);
      });
    }
  }
});

describe("a form that is refused", () => {
  const long = "x".repeat(9_000);
  const cases: readonly (readonly [string, string, string])[] = [
    ["nothing at all", "", "it ends before the first boundary"],
    ["a preamble", `hello\r\n--XX\r\n${FIELD}\r\n--XX--`, "it does not begin with its boundary"],
    ["no final boundary", `--XX\r\n${FIELD}\r\n`, "it ends before the final boundary"],
    ["a final boundary cut in half", `--XX\r\n${FIELD}\r\n--XX-`, "it ends before the final boundary"],
    ["an epilogue", `--XX\r\n${FIELD}\r\n--XX--\r\nmore`, "more bytes after the final boundary"],
    ["a longer boundary", `--XX\r\n${FIELD}\r\n--XXY--`, "a boundary is followed by something else"],
    [
      "bare line feeds",
      "--XX\nContent-Disposition: form-data; name=a\n\n1\n--XX--",
      "a boundary is followed by something else",
    ],
    ["the same name twice", `--XX\r\n${FIELD}\r\n--XX\r\n${FIELD}\r\n--XX--`, 'a second part named "a"'],
    ["no headers", "--XX\r\n\r\n1\r\n\r\n--XX--", "a part has a broken header line"],
    [
      "no disposition",
      "--XX\r\nContent-Type: a/b\r\n\r\n1\r\n--XX--",
      "a part has no valid form-data disposition",
    ],
    [
      "an attachment",
      '--XX\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n--XX--',
      "a part has no valid form-data disposition",
    ],
    ["no name", "--XX\r\nContent-Disposition: form-data\r\n\r\n1\r\n--XX--", "a part has no name"],
    [
      "an empty name",
      '--XX\r\nContent-Disposition: form-data; name=""\r\n\r\n1\r\n--XX--',
      "a part has no name",
    ],
    [
      "two names",
      '--XX\r\nContent-Disposition: form-data; name="a"; name="b"\r\n\r\n1\r\n--XX--',
      "a part has two name parameters",
    ],
    [
      "a header twice",
      `--XX\r\nContent-Disposition: form-data; name="a"\r\n${FIELD}\r\n--XX--`,
      "a part has two content-disposition headers",
    ],
    [
      "a folded header",
      '--XX\r\nContent-Disposition: form-data;\r\n name="a"\r\n\r\n1\r\n--XX--',
      "a part has a broken header line",
    ],
    [
      "base64",
      `--XX\r\nContent-Transfer-Encoding: base64\r\n${FIELD}\r\n--XX--`,
      "a part has a content-transfer-encoding",
    ],
    [
      "endless headers",
      `--XX\r\nX-A: ${long}\r\n${FIELD}\r\n--XX--`,
      "the headers of a part exceed 8192 bytes",
    ],
    [
      "headers that are not UTF-8",
      '--XX\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n1\r\n--XX--',
      "the headers of a part is not valid UTF-8",
    ],
  ];
  for (const [name, text, wanted] of cases) {
    test(name, async () => {
      expect(await refusal(text)).toBe(`400 invalid_multipart: the form is malformed: ${wanted}`);
    });
  }

  test("too many parts", async () => {
    const parts = Array.from({ length: 65 }, (_, at) => `--XX\r\n${FIELD.replace('"a"', `"a${at}"`)}\r\n`);
    expect(await refusal(`${parts.join("")}--XX--`)).toEndWith("more than 64 parts");
  });

  test("a field above its ceiling", async () => {
    const bytes = Buffer.from(`--XX\r\n${FIELD}${"1".repeat(50)}\r\n--XX--`);
    const work = async (): Promise<void> => {
      for await (const part of formParts(chunked(bytes, 9), "XX")) await fieldText(part, 50);
    };
    expect(await rejection(work())).toMatchObject({
      code: "invalid_field",
      message: "a must be <= 50 bytes",
    });
  });

  test("the sender is told when reading stops early", async () => {
    let cancelled = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.from(`--XX\r\n${FIELD}`);
        for (;;) yield Buffer.from("1".repeat(100));
      } finally {
        cancelled = true;
      }
    }
    const work = async (): Promise<void> => {
      for await (const part of formParts(endless(), "XX")) await fieldText(part, 1_000);
    };
    await work().catch(() => undefined);
    expect(cancelled).toBe(true);
  });
});

describe("the boundary of a content type", () => {
  const taken: readonly (readonly [string, string])[] = [
    ["multipart/form-data; boundary=abc", "abc"],
    ['Multipart/Form-Data;charset=utf-8; BOUNDARY="a b:c"', "a b:c"],
    ['multipart/form-data; x="; boundary=no"; boundary=yes', "yes"],
  ];
  for (const [header, wanted] of taken) test(header, () => expect(boundaryOf(header)).toBe(wanted));

  const refused: readonly (readonly [string | null, string])[] = [
    [null, "unsupported_media_type"],
    ["application/json", "unsupported_media_type"],
    ["multipart/form-datax; boundary=a", "unsupported_media_type"],
    ["multipart/form-data", "invalid_multipart"],
    ["multipart/form-data; boundary=", "invalid_multipart"],
    ["multipart/form-data; boundary=a; boundary=b", "invalid_multipart"],
    [`multipart/form-data; boundary=${"a".repeat(71)}`, "invalid_multipart"],
    ['multipart/form-data; boundary="a "', "invalid_multipart"],
  ];
  for (const [header, code] of refused) {
    test(`${header} is refused`, () => {
      expect(() => boundaryOf(header)).toThrow(expect.objectContaining({ code }));
    });
  }
});
