import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { formatBundle } from "../../src/trust/bundle.ts";
import { formatEnvelope } from "../../src/trust/dsse.ts";
import { pointsOf } from "../support/points.ts";
import { envelopeOf, judge } from "./attestations.ts";

const POINTS = pointsOf("each bit and each cut of a bundle and of an envelope, any byte, insertions");
const envelope = envelopeOf();
const bundle = new TextEncoder().encode(formatBundle(envelope));
const bare = new TextEncoder().encode(formatEnvelope(envelope));

function changed(bytes: Uint8Array, at: number, to: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = to;
  return copy;
}

describe("a changed byte", () => {
  test("the untouched ones are accepted", () => {
    expect(judge(bundle).accepted).toHaveLength(1);
    expect(judge(bare).accepted).toHaveLength(1);
  });

  test("every single bit of a bundle", () => {
    for (let at = 0; at < bundle.length; at++) {
      for (let bit = 1; bit < 256; bit <<= 1) {
        POINTS.check(() => {
          const verdict = judge(changed(bundle, at, (bundle[at] ?? 0) ^ bit));
          if (verdict.accepted.length > 0) throw new Error(`byte ${at} ^ ${bit} was accepted`);
        });
      }
    }
  });

  test("any byte of a bundle, with any value", () => {
    const place = fc.integer({ min: 0, max: bundle.length - 1 });
    fc.assert(
      fc.property(place, fc.integer({ min: 0, max: 255 }), (at, to) => {
        fc.pre(bundle[at] !== to);
        POINTS.check(() => {
          const verdict = judge(changed(bundle, at, to));
          expect(verdict.accepted).toEqual([]);
          expect(verdict.refusals.length).toBeGreaterThan(0);
        });
      }),
      { numRuns: 3_000 },
    );
  });

  test("every single bit of a bare envelope, its unsigned keyid included", () => {
    for (let at = 0; at < bare.length; at++) {
      for (let bit = 1; bit < 256; bit <<= 1) {
        POINTS.check(() => {
          const verdict = judge(changed(bare, at, (bare[at] ?? 0) ^ bit));
          if (verdict.accepted.length > 0) throw new Error(`byte ${at} ^ ${bit} was accepted`);
        });
      }
    }
  });

  test("every beginning of both", () => {
    for (const whole of [bundle, bare]) {
      // A line break at the end is not signed.
      const end = new TextDecoder().decode(whole).trimEnd().length;
      for (let at = 0; at < end; at++) {
        POINTS.check(() => {
          if (judge(whole.subarray(0, at)).accepted.length > 0) throw new Error(`cut at ${at} was accepted`);
        });
      }
    }
  });

  test("bytes cut off, doubled or put in", () => {
    const place = fc.integer({ min: 0, max: bundle.length - 1 });
    fc.assert(
      fc.property(place, fc.uint8Array({ minLength: 1, maxLength: 8 }), (at, extra) => {
        const longer = Buffer.concat([bundle.subarray(0, at), extra, bundle.subarray(at)]);
        for (const bytes of [bundle.slice(0, at), bundle.slice(at + 1), longer]) {
          POINTS.check(() => {
            const [accepted] = judge(bytes).accepted;
            // White space between tokens changes nothing that anybody reads. After a line break it may stand on a
            // line of its own, whole, with junk on another one, which is refused beside it.
            if (accepted === undefined) return;
            const text = new TextDecoder().decode(bytes);
            const readings = [text, ...text.split("\n")].map((one) => one.replaceAll(/\s/gu, ""));
            expect(readings).toContain(new TextDecoder().decode(bundle));
          });
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
