import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { boundaryOf, formParts } from "../../../src/control-plane/builds/multipart.ts";
import { rejection } from "../plane.ts";

/** Bytes that are rich in what could be taken for a boundary. */
const contents = fc
  .array(fc.constantFrom("\r", "\n", "-", "--", "\r\n--", "B", "BO", "\r\n--BOUND", "\0", "\u00ff", "x"))
  .map((pieces) => pieces.join(""))
  .filter((text) => !`\r\n${text}\r\n--`.includes("\r\n--BOUNDARY"));

test("every cut of every form gives the parts that were put in", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(contents, { maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
      async (values, sizes) => {
        const form = values.map(
          (value, at) => `--BOUNDARY\r\nContent-Disposition: form-data; name="p${at}"\r\n\r\n${value}\r\n`,
        );
        const bytes = Buffer.from(`${form.join("")}--BOUNDARY--\r\n`, "latin1");
        async function* cut(): AsyncGenerator<Uint8Array> {
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const size = sizes[turn % sizes.length] ?? 1;
            yield bytes.subarray(at, at + size);
            at += size;
          }
        }
        const found: string[] = [];
        for await (const part of formParts(cut(), "BOUNDARY")) {
          const pieces: Uint8Array[] = [];
          for await (const chunk of part.chunks) pieces.push(Buffer.from(chunk));
          found.push(Buffer.concat(pieces).toString("latin1"));
        }
        expect(found).toEqual(values);
      },
    ),
    { numRuns: 500 },
  );
});

test("every form cut short is refused, wherever it is cut", async () => {
  const whole = Buffer.from('--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n--B--');
  for (let length = 0; length < whole.length; length++) {
    async function* short(): AsyncGenerator<Uint8Array> {
      yield whole.subarray(0, length);
    }
    const work = async (): Promise<void> => {
      for await (const part of formParts(short(), "B")) {
        for await (const _ of part.chunks);
      }
    };
    expect(await rejection(work())).toMatchObject({ code: "invalid_multipart" });
  }
});

test("what the runtime's own FormData writes is read back", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 2_000 }),
      fc.string({ unit: "grapheme" }),
      async (file, text) => {
        const form = new FormData();
        form.set("text", text);
        form.set("file", new Blob([file]), "a b.tgz");
        const request = new Request("http://x/", { method: "POST", body: form });
        const found: Record<string, Buffer> = {};
        const boundary = boundaryOf(request.headers.get("content-type"));
        for await (const part of formParts(request.body ?? new ReadableStream(), boundary)) {
          const pieces: Uint8Array[] = [];
          for await (const chunk of part.chunks) pieces.push(Buffer.from(chunk));
          found[part.name] = Buffer.concat(pieces);
        }
        expect(found["file"]).toEqual(Buffer.from(file));
        expect(found["text"]?.toString()).toBe(text.toWellFormed());
      },
    ),
    { numRuns: 100 },
  );
});
