import type { JsonMap } from "../../base/json.ts";
import {
  anyMap,
  exact,
  flag,
  imageDigest,
  instant,
  list,
  orNull,
  ref,
  sha256,
  text,
  whole,
} from "./schema-parts.ts";

const pin = {
  template_name: text,
  region: text,
  image_digest: imageDigest,
  "git_sha?": text,
  "notes?": text,
  "seq?": whole,
  promoted_at: instant,
  promoted_by: text,
};

/** Pins, what stands against changing them, and what is kept of their changes. */
export const PIN_SCHEMAS: Readonly<Record<string, JsonMap>> = {
  Promotion: {
    type: "object",
    required: ["image_digest"],
    properties: {
      template_name: text,
      region: text,
      image_digest: imageDigest,
      git_sha: text,
      notes: text,
      seq: whole,
      rollback: flag,
      break_glass: flag,
      reason: text,
    },
  },
  Pin: exact(pin),
  PinList: exact({ pins: list(ref("Pin")) }),
  VersionedPinList: exact({ pins: list(ref("VersionedPin")), next_after: orNull(text) }),
  VersionedPin: exact({ ...pin, version: whole }),
  /** Of the vetoes the newest hundred are among the stops; `vetoes` is how many there are. */
  ShownPin: exact({ ...pin, version: whole, stops: list(ref("Stop")), vetoes: whole }),
  VetoList: exact({ vetoes: list(ref("Stop")), next_after: orNull(text) }),
  Stop: exact({
    kind: { enum: ["held", "vetoed", "frozen"] },
    reason: text,
    by: text,
    at: instant,
    "image_digest?": imageDigest,
  }),
  Reason: { type: "object", required: ["reason"], properties: { reason: text } },
  Rollback: {
    type: "object",
    required: ["reason"],
    properties: { reason: text, to_version: whole, to_digest: imageDigest },
  },
  EnforcedPolicy: exact({
    policy: orNull(
      exact({
        name: text,
        version: whole,
        sha256,
        issued_at: instant,
        expires_at: instant,
        rules: list(
          exact({
            name: text,
            level: { enum: ["enforce", "warn"] },
            environments: orNull(list(text)),
            templates: orNull(list(text)),
          }),
        ),
      }),
    ),
  }),
  Receipt: exact({ number: whole, version: whole, at: instant, by: text, envelope: anyMap }),
  Receipts: exact({
    plane: sha256,
    env: text,
    pin: ref("VersionedPin"),
    receipts: list(ref("Receipt")),
    last_receipted_version: orNull(whole),
  }),
  History: exact({
    history: list(
      exact({
        version: whole,
        at: instant,
        by: text,
        action: text,
        reason: orNull(text),
        before: orNull(anyMap),
        after: orNull(anyMap),
      }),
    ),
    next_before: orNull(whole),
  }),
};
