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
  oneOf,
  type Decoder,
} from "../../base/decode.ts";
import { isSha256 } from "../../base/digest.ts";
import { parseJson } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { writeAtomic } from "../../host/files.ts";
import { NO_GATE, type Gate } from "./gate.ts";
import { readOwn } from "../on-host/own-file.ts";

const MODE = 0o600;

const sha256 = narrowed("64 lower-case hex characters", isSha256);
const found = {
  probe: nullable(sha256),
  fault: nullable(oneOf("ended", "did_not_start", "never_ready", "unhealthy")),
};
const failing = object(found);
const seen = object({ sha256, ...found, answer: nullable(oneOf("well", "degraded", "ill")) });
const left = object({ sha256, to: sha256, probe: sha256, cleared: boolean() });
const trial = object({ sha256, starts: integer(), failures: integer(), before: nullable(seen), failing });
const decoder: Decoder<Gate> = object({
  trial: nullable(trial),
  pairs: list(object({ from: sha256, to: sha256 }), 1_000),
  seen: nullable(seen),
  left: nullable(left),
});

function pathOf(paths: AddonPaths): string {
  return join(paths.directory, ".waybill-gate.json");
}

/** What cannot be read remembers nothing: then a step back may be taken that was taken before, and no more. */
export function readGate(paths: AddonPaths): Gate {
  const path = pathOf(paths);
  if (!existsSync(path)) return NO_GATE;
  try {
    const bytes = readOwn(path, LIMITS.runtimeNoteBytes, "the gate");
    const decoded = decode(decoder, parseJson(bytes, { what: "the gate", code: "record_mismatch" }));
    return decoded.ok ? decoded.value : NO_GATE;
  } catch {
    return NO_GATE;
  }
}

export function writeGate(paths: AddonPaths, before: Gate, after: Gate): void {
  if (!Bun.deepEquals(before, after)) writeAtomic(pathOf(paths), `${JSON.stringify(after)}\n`, MODE);
}
