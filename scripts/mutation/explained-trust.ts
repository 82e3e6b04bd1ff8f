import type { Explained } from "./explained.ts";

/** Those of signatures, attestations, policies and trust roots. */
export const EXPLAINED_TRUST: readonly Explained[] = [
  {
    file: "src/trust/verify-attestation.ts",
    mutants: [
      "judge: !verdict.ok || subject === undefined → !verdict.ok",
      "judge: !verdict.ok || subject === undefined → subject === undefined",
    ],
    reason: "each of both has put a refusal into the list that is asked last",
  },
  {
    file: "src/trust/verify-attestation.ts",
    mutants: ['statementIn: failure.code === "internal_error" → false'],
    reason: "reading a statement throws failures alone; a fault of our own would be one of these",
  },
  {
    file: "src/trust/dsse.ts",
    mutants: [
      "sharedEnds: before < shorter && a[before] === b[before] → a[before] === b[before]",
      "sharedEnds: before < shorter → before <= shorter",
    ],
    reason:
      "behind the end of one text there is nothing, and the other one, which is not the same, has a character",
  },
  {
    file: "src/trust/statement.ts",
    mutants: ["parseStatement: !isMap(value) → false", "orderedJson: value[name] ?? null → value[name]"],
    reason:
      "what was decoded is an object, and a name of an object has a value; the checks are for the types",
  },
  {
    file: "src/trust/ed25519.ts",
    mutants: [
      "verify: signature.length !== SIGNATURE_BYTES || key.length !== KEY_BYTES → key.length !== KEY_BYTES",
      "verify: !verifyNatively(signature, message, key) || weaknessOf(key) !== null → weaknessOf(key) !== null",
      "verify: expected !== null && Buffer.compare(expected, commitment) === 0 → expected !== null",
      "verify: expected !== null && Buffer.compare(expected, commitment) === 0 → Buffer.compare(expected, commitment) === 0",
    ],
    reason:
      "two implementations are asked, and each refuses whatever the other one does, unless it has a fault",
  },
  {
    file: "src/trust/allowed-signers.ts",
    mutants: [
      'field: /^((?:[^ \\t"]|"[^"]*")+)[ \\t]+(.*)/su.exec → /^((?:[^ \\t"]|"[^"]*")*)[ \\t]+(.*)/su.exec',
      'field: /^((?:[^ \\t"]|"[^"]*")+)[ \\t]+(.*)/su.exec → /^((?:[^ \\t"]|"[^"]*")+)[ \\t]+(.+)/su.exec',
    ],
    reason: "the line was trimmed: it begins with a word, and white space has something behind it",
  },
  {
    file: "src/trust/allowed-signers.ts",
    mutants: [
      "EDGES: EDGES = /^[ \\t]+|[ \\t]+$/gu → EDGES = /^[ \\t]*|[ \\t]+$/gu",
      "EDGES: EDGES = /^[ \\t]+|[ \\t]+$/gu → EDGES = /^[ \\t]+|[ \\t]*$/gu",
    ],
    reason: "nothing that is taken away from an edge leaves it as it is",
  },
  {
    file: "src/trust/der.ts",
    mutants: ['NotDer.top: override readonly name = "NotDer"; → override readonly name = "";'],
    reason: "whoever reads catches it by its class; the name is for a debugger",
  },
  {
    file: "src/trust/der.ts",
    mutants: ["derInteger: bytes[0] ?? 0 → bytes[0]", "derInteger: bytes[0] ?? 0 → bytes[0] ?? 1"],
    reason: "a number has a byte at least, also zero; the operand is for the types",
  },
  {
    file: "src/trust/jwk.ts",
    mutants: ['expectMember: typeof found === "string" && wanted.includes(found) → wanted.includes(found)'],
    reason: "what is no text is none of the words; the check is for the types",
  },
  {
    file: "src/trust/jwk.ts",
    mutants: ["coordinate: /^[\\w-]+$/u.test → /^[\\w-]*$/u.test"],
    reason: "no bytes at all are too few as well",
  },
  {
    file: "src/trust/ssh-wire.ts",
    mutants: ['NotSsh.top: override readonly name = "NotSsh"; → override readonly name = "";'],
    reason: "whoever reads catches it by its class; the name is for a debugger",
  },
  {
    file: "src/trust/ssh-key.ts",
    mutants: ["sshBlobKey: error instanceof NotSsh → true", "sshBlobKey: throw error; → nothing"],
    reason: "the reader throws nothing else; a fault of our own would be one of these",
  },
  {
    file: "src/trust/trusted-signers.ts",
    mutants: [
      "distrustedSigners: verifyEnvelope( envelope, distrusted.map(({ key }) => key), 1, ) → verifyEnvelope( envelope, distrusted.map(({ key }) => key), 2, )",
    ],
    reason: "who signed is the same, however many signers are wanted",
  },
  {
    file: "src/trust/trust-root-change.ts",
    mutants: ["rotateKey: old.validUntil < window.until → old.validUntil <= window.until"],
    reason: "of two equal instants either is the end",
  },
  {
    file: "src/trust/trust-root-change.ts",
    mutants: [
      "keyNamed: root.keys.find((one) => one.name === name) → root.keys.findLast((one) => one.name === name)",
    ],
    reason: "no two keys of a sound root have one name",
  },
  {
    file: "src/trust/policy.ts",
    mutants: ["openPolicy: !verdict.ok || refusals.length > 0 → refusals.length > 0"],
    reason: "what is not verified was refused for something; the check is for the types",
  },
  {
    file: "src/trust/attestation.ts",
    mutants: [
      "parseLines: LIMITS.attestations + 1 → LIMITS.attestations + 2",
      "filledLines: at < text.length → at <= text.length",
    ],
    reason: "one line too many or two, there are too many; behind the end of the text is nothing on a line",
  },
  {
    file: "src/trust/attestation.ts",
    mutants: [
      'foreseen: error instanceof Failure && error.code !== "evidence_too_large" → error.code !== "evidence_too_large"',
    ],
    reason: "readers and decoders throw nothing but failures; the check is for the types",
  },
  {
    file: "src/trust/minisign-secret-key.ts",
    mutants: [
      "scryptLimits: Math.max(Number(work.operations), 32_768) → Math.max(Number(work.operations), 32769)",
    ],
    reason:
      "N is a power of two up to 1,024 then, and one operation more is left over in every division by it",
  },
  {
    file: "src/trust/allowed-signers.ts",
    mutants: [
      "formatAllowedSigners: validFrom === null || validFrom < FIRST_TIME → validFrom < FIRST_TIME",
      "formatAllowedSigners: validUntil < FIRST_TIME → validUntil <= FIRST_TIME",
      "instant: found !== null && found >= FIRST_TIME → found >= FIRST_TIME",
    ],
    reason: "nothing is less than any number, and the first time is written for itself",
  },
  {
    file: "src/trust/trusted-key.ts",
    mutants: ["stateOf: key.validFrom !== null && now < key.validFrom → now < key.validFrom"],
    reason: "no clock stands before zero, which nothing is to a comparison",
  },
];
