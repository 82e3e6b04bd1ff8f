import { EXPLAINED_CONTEXT } from "./explained-context.ts";
import { EXPLAINED_SOURCE } from "./explained-source.ts";

/* oxlint-disable max-lines -- a list */
/** Mutants that no test can kill, each with the reason. Read by people; what no longer survives has to go. */
export type Explained = {
  readonly file: string;
  /** Names as `scripts/mutate` prints them. */
  readonly mutants: readonly string[];
  readonly reason: string;
};

export const EXPLAINED: readonly Explained[] = [
  {
    file: "src/pins/classify-write.ts",
    mutants: ['why: answer?.["error"] → answer["error"]'],
    reason: "asked only after a code was read from the answer, so there is one",
  },
  {
    file: "src/pins/drift.ts",
    mutants: ['compareListings: place.lastIndexOf("/") → place.indexOf("/")'],
    reason: "neither a template nor a region has a slash in it",
  },
  {
    file: "src/pins/leg.ts",
    mutants: ["supersededLeg: row.seq === null || row.seq <= seq → row.seq <= seq"],
    reason: "null counts as 0 in a comparison, and no build has a lower number; the check is for the types",
  },
  {
    file: "src/pins/leg.ts",
    mutants: [
      "exitOfCodes: WEIGHT.find((code) => failed.includes(code)) ?? failed[0] ?? EXIT.internal → WEIGHT.find((code) => failed.includes(code)) ?? failed[0]",
    ],
    reason: "something failed, so there is a first one; the last operand is for the types",
  },
  {
    file: "src/pins/leg-warnings.ts",
    mutants: ["gaveWay: before?.seq → before.seq"],
    reason: "a superseded leg is only made with the row that it gave way to",
  },
  {
    file: "src/pins/listing.ts",
    mutants: [
      'parseListing: code: "answer_not_json" → code: ""',
      "parseListing: error instanceof Failure → true",
    ],
    reason: "the failure of the reader is replaced by one with the same code, and it throws no other",
  },
  {
    file: "src/pins/listing.ts",
    mutants: [
      'numberOf: typeof value === "number" && Number.isSafeInteger(value) → Number.isSafeInteger(value)',
    ],
    reason: "what is no number is no safe integer either; the check is for the types",
  },
  {
    file: "src/pins/next-write.ts",
    mutants: [
      "nextWrite: row?.seq ?? null → row?.seq",
      "nextWrite: mine !== undefined && theirs !== null → mine !== undefined",
      "nextWrite: mine !== undefined && theirs !== null → theirs !== null",
      "nextWrite: row !== null && isOlder → isOlder",
    ],
    reason: "no build number is lower than one that is not there; the checks are for the types",
  },
  {
    file: "src/pins/receipt-verdict.ts",
    mutants: [
      'refused: mainRefusal(refusals) ?? new Failure("receipt_missing", "there is no receipt") → mainRefusal(refusals)',
      'refused: new Failure("receipt_missing", "there is no receipt") → new Failure("", "there is no receipt")',
    ],
    reason: "whatever is not accepted was refused for a reason, so there is a main one",
  },
  {
    file: "src/pins/retry-after.ts",
    mutants: ['retryAfterMs: headers.get("date") ?? "" → headers.get("date")'],
    reason: "an expression reads null as the word, which is no number and no date",
  },
  {
    file: "src/pins/server-text.ts",
    mutants: [
      'jsonObject: code: "answer_not_json" → code: ""',
      'redirectOrigin: headers.get("location") ?? "" → headers.get("location")',
    ],
    reason: "the failure is caught a line below; the word null is no address",
  },
  {
    file: "src/pins/standing.ts",
    mutants: [
      'readStanding: headers.get("etag") ?? "" → headers.get("etag")',
      'readStanding: typeof digest !== "string" || !isImageDigest(digest) → !isImageDigest(digest)',
    ],
    reason: "what is no text is no digest and no strong ETag; the checks are for the types",
  },
  {
    file: "src/pins/target-config.ts",
    mutants: ["parseTargetConfig: config.ok && problems.length === 0 → problems.length === 0"],
    reason: "what cannot be decoded has a problem; the check is for the types",
  },
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
    file: "src/trust/minisign-signature.ts",
    mutants: ["strictBase64: /^[A-Za-z0-9+/]+={0,2}$/u.test → /^[A-Za-z0-9+/]*={0,2}$/u.test"],
    reason: "no bytes at all are too few for whoever asks",
  },
  {
    file: "src/trust/sshsig.ts",
    mutants: ["parseSshSignature: /^[A-Za-z0-9+/]+={0,2}$/u.test → /^[A-Za-z0-9+/]*={0,2}$/u.test"],
    reason: "no bytes at all are no blob either",
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
    file: "src/addons/staging/next-step.ts",
    mutants: [
      "nextStep: folder === null || staged?.sha256 !== wanted.sha256 → staged?.sha256 !== wanted.sha256",
      "placeOf: wanted.replacementFolder !== null && replacement?.recorded?.sha256 === wanted.sha256 → replacement?.recorded?.sha256 === wanted.sha256",
    ],
    reason: "where there is no name for a replacement, none was looked for; the checks are for the types",
  },
  {
    file: "src/addons/staging/next-step.ts",
    mutants: [
      'placeOf: staged.recorded?.sha256 ?? staged.sha256 ?? "others" → staged.recorded?.sha256 ?? staged.sha256',
      'placeOf: staged.recorded?.sha256 ?? staged.sha256 ?? "others" → staged.recorded?.sha256 ?? staged.sha256 ?? ""',
    ],
    reason:
      "a folder with neither a record nor bytes was taken for empty above; the operand is for the types",
  },
  {
    file: "src/addons/staging/statement-rules.ts",
    mutants: [
      'statementProblem: stated?.minimum_version ?? "" → stated?.minimum_version',
      'statementProblem: floor === "" || compareVersions(wanted.version, floor) !== "older" → compareVersions(wanted.version, floor) !== "older"',
      'isExpired: expires !== "" && Date.parse(expires) <= now.getTime() → Date.parse(expires) <= now.getTime()',
    ],
    reason: "what is empty or absent has no place in the order of versions, and no place in time",
  },
  {
    file: "src/addons/staging/verify-statement.ts",
    mutants: [
      "verifyStatement: accepted === undefined || keyid === undefined → accepted === undefined",
      "verifyStatement: accepted === undefined || keyid === undefined → keyid === undefined",
      "refused: first === undefined → false",
      'refused: new Failure("no_evidence", `${from} holds nothing`) → new Failure("", `${from} holds nothing`)',
    ],
    reason:
      "what is accepted was signed by somebody, and what is not was refused for something; for the types",
  },
  {
    file: "src/addons/staging/backoff.ts",
    mutants: ["afterFailure: Math.min(failures - 2, 20) → Math.min(failures - 2, 21)"],
    reason: "both are far above the longest pause, which ends the growth",
  },
  {
    file: "src/addons/version-order.ts",
    mutants: [
      "compareVersions: order < 0 → order <= 0",
      "compareNumbers: index < Math.max(a.length, b.length) → index <= Math.max(a.length, b.length)",
      "compareParts: index < Math.max(a.length, b.length) → index <= Math.max(a.length, b.length)",
    ],
    reason: "equal ones were told before; behind the end of both nothing differs",
  },
  {
    file: "src/addons/version-order.ts",
    mutants: [
      "comparePart: -1 → -2",
      "comparePart: left ? -1 : 1 → left ? -1 : 2",
      "comparePart: -1 → -2 #2",
      "comparePart: a > b ? 1 : 0 → a > b ? 2 : 0",
    ],
    reason: "only the sign is looked at",
  },
  {
    file: "src/addons/version-order.ts",
    mutants: [
      'higherVersion: mark === "" → false',
      'higherVersion: mark === "" ? "newer" : compareVersions(version, mark) → mark === "" ? "" : compareVersions(version, mark)',
    ],
    reason: "an empty mark has no place in the order, and what cannot be compared becomes the mark as well",
  },
  {
    file: "src/addons/staging/next-step.ts",
    mutants: [
      'isDowngrade: wanted.sha256 === active || wanted.assignment.version === "" || highestVersion === "" → wanted.sha256 === active || wanted.assignment.version === ""',
    ],
    reason: "nothing is older than an empty mark, which has no place in the order",
  },
  {
    file: "src/addons/assigned/assignment.ts",
    mutants: [
      "decodeAssignments: isMap(document) → true",
      'decodeEntry: problems.length > 0 || fields === undefined || typeof enabled !== "boolean" → problems.length > 0 || fields === undefined',
      "decodeEntry: problems.length > 0 || fields === undefined → problems.length > 0",
      "withoutDuplicates: count.get(addon_id.toLowerCase()) ?? 0 → count.get(addon_id.toLowerCase())",
      "withoutDuplicates: count.get(addon_id.toLowerCase()) ?? 0 → count.get(addon_id.toLowerCase()) ?? 1",
      'entriesOf: isMap(value) && typeof id === "string" → typeof id === "string"',
      "unknownMembers: isMap(value) → true",
    ],
    reason: "found out a few lines above, in other words; the checks are for the types",
  },
  {
    file: "src/addons/assigned/assignment.ts",
    mutants: ['configOf: bytes ?? "" → bytes', 'configOf: code: "input_invalid" → code: ""'],
    reason: "whatever the reader throws is caught a few lines below",
  },
  {
    file: "src/addons/assigned/override.ts",
    mutants: [
      'decodeOverride: id === undefined || id === "" || fields === undefined → id === undefined || id === ""',
      'decodeOverride: downgrade ?? "" → downgrade',
    ],
    reason:
      "what is undefined has pushed a problem, and one problem refuses the whole document; for the types",
  },
  {
    file: "src/addons/on-host/spec.ts",
    mutants: ['advance: spec.stated?.minimum_version ?? "" → spec.stated?.minimum_version'],
    reason: "what is not said has no place in the order, and raises no floor",
  },
  {
    file: "src/addons/audit/audit-chain.ts",
    mutants: ['problemOf: code: "audit_broken" → code: ""'],
    reason: "of the failure, which is caught below, only the message is told",
  },
  {
    file: "src/addons/supervision/gate.ts",
    mutants: [
      "withTrial: active === null || !isOnTrial(specs) → !isOnTrial(specs)",
      "withTrial: good?.artifact_sha256 → good.artifact_sha256",
      "stepBack: good === null || trial === null → trial === null",
    ],
    reason: "what is on trial is active beside a known good one; the checks are for the types",
  },
  {
    file: "src/addons/supervision/health.ts",
    mutants: ["healthDecoder: decoded === undefined → false"],
    reason: "where nothing was decoded a problem was pushed, and one refuses the whole manifest",
  },
  {
    file: "src/addons/supervision/sidecar.ts",
    mutants: ['sidecarStep: case "tick": → case "":'],
    reason: "whatever is none of the others is a tick",
  },
  {
    file: "src/addons/supervision/resources.ts",
    mutants: ["percent: value > 0 → value >= 0"],
    reason: "0 was taken away before, as it is how the wire says nothing",
  },
  {
    file: "src/addons/supervision/unit-plan.ts",
    mutants: [
      "planInstall: wanted.find((file) => file.name === name) → wanted.findLast((file) => file.name === name)",
      'planUninstall: there.kind === "file" && isOurs(there, root) → isOurs(there, root)',
      'foreign: there.kind === "file" → true',
    ],
    reason:
      "units have each its name, and what is ours or has a text is a file; the checks are for the types",
  },
  {
    file: "src/addons/assigned/platform.ts",
    mutants: ["readName: more === undefined → false"],
    reason: "no C library is called undefined",
  },
  {
    file: "src/addons/names.ts",
    mutants: [
      'binaryNameOf: binaryPath.replace(/\\/+$/u, "").split("/").at(-1) ?? "" → binaryPath.replace(/\\/+$/u, "").split("/").at(-1)',
      'binaryNameOf: binaryPath.replace(/\\/+$/u, "") → binaryPath.replace(/\\/*$/u, "")',
    ],
    reason:
      "a text that is split has a last part, and without a slash at the end nothing is replaced by nothing",
  },
  ...EXPLAINED_CONTEXT,
  ...EXPLAINED_SOURCE,
];
