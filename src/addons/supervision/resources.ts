import { decode, object, optional, string, within, type Decoder } from "../../base/decode.ts";
import { Failure } from "../../base/failure.ts";
import type { JsonValue } from "../../base/json.ts";

/** How much of a host an add-on may use, in the names of the wire. */
export type Resources = {
  readonly cpu_max_percent?: number | undefined;
  readonly memory_max_bytes?: number | undefined;
  readonly memory_high_bytes?: number | undefined;
  readonly tasks_max?: number | undefined;
  readonly slice?: string | undefined;
};

const positive = within(1, Number.MAX_SAFE_INTEGER);

/** A double on the wire; systemd takes whole percents. */
const percent: Decoder<number> = (value, path, problems) => {
  if (typeof value === "number" && value > 0 && value <= 100_000) return Math.max(1, Math.round(value));
  problems.push(`${path} is not a percentage; wanted a number above 0`);
  return undefined;
};

const decoder: Decoder<Resources> = object({
  cpu_max_percent: optional(percent),
  memory_max_bytes: optional(positive),
  memory_high_bytes: optional(positive),
  tasks_max: optional(positive),
  slice: optional(string("the name of a slice", (text) => /^[A-Za-z0-9_-]{1,100}\.slice$/u.test(text))),
});

/** Protobuf's JSON writes 0 for what was not said. Throws Failure `input_invalid`. */
export function decodeResources(value: JsonValue | undefined): Resources {
  if (value === undefined || value === null) return {};
  const said =
    typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).filter(([, one]) => one !== 0 && one !== "" && one !== null))
      : value;
  const decoded = decode(decoder, said);
  if (decoded.ok) return decoded.value;
  throw new Failure("input_invalid", `resources: ${decoded.problems.slice(0, 5).join("; ")}`);
}
