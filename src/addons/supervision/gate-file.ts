import { existsSync } from "node:fs";
import { join } from "node:path";
import type { AddonPaths } from "../on-host/layout.ts";
import {
  boolean,
  decode,
  integer,
  list,
  narrowed,
  nullable,
  object,
  type Decoder,
} from "../../base/decode.ts";
import { isSha256 } from "../../base/digest.ts";
import { parseJson } from "../../base/json.ts";
import { readBounded, writeAtomic } from "../../host/files.ts";
import { NO_GATE, type Gate } from "./gate.ts";

const MODE = 0o600;
const BYTES = 65_536;

const sha256 = narrowed("64 lower-case hex characters", isSha256);
const decoder: Decoder<Gate> = object({
  trial: nullable(object({ sha256, starts: integer(), failures: integer(), before_was_well: boolean() })),
  pairs: list(object({ from: sha256, to: sha256 }), 1_000),
});

function pathOf(paths: AddonPaths): string {
  return join(paths.directory, ".waybill-gate.json");
}

/** What cannot be read remembers nothing: then a step back may be taken that was taken before, and no more. */
export function readGate(paths: AddonPaths): Gate {
  const path = pathOf(paths);
  if (!existsSync(path)) return NO_GATE;
  try {
    const bytes = readBounded(path, BYTES, "the gate");
    const decoded = decode(decoder, parseJson(bytes, { what: "the gate", code: "record_mismatch" }));
    return decoded.ok ? decoded.value : NO_GATE;
  } catch {
    return NO_GATE;
  }
}

export function writeGate(paths: AddonPaths, before: Gate, after: Gate): void {
  if (!Bun.deepEquals(before, after)) writeAtomic(pathOf(paths), `${JSON.stringify(after)}\n`, MODE);
}
