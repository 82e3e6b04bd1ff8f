import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { whyUnwritten } from "./files.ts";

/** A new folder for this run alone, which removes it. Throws Failure `output_not_written`. */
export function makeScratchFolder(): string {
  const place = tmpdir();
  try {
    return mkdtempSync(join(place, "waybill-"));
  } catch (cause) {
    throw new Failure(
      "output_not_written",
      `no folder can be made in ${quoted(place)}: ${whyUnwritten(cause)}`,
      {
        hint: "name another place in TMPDIR",
        cause,
      },
    );
  }
}
