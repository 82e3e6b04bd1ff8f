import type { Explained } from "./explained.ts";

/** Those of add-ons. */
export const EXPLAINED_ADDONS: readonly Explained[] = [
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
      "compareText: -1 → -2",
      "compareText: a > b ? 1 : 0 → a > b ? 2 : 0",
    ],
    reason: "only the sign is looked at",
  },
  {
    file: "src/addons/version-order.ts",
    mutants: [
      'compareDigits: a.replace(/^0+/u, "") → a.replace(/^0*/u, "")',
      'compareDigits: b.replace(/^0+/u, "") → b.replace(/^0*/u, "")',
    ],
    reason: "taking no zero away changes nothing",
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
    file: "src/addons/bundle/tar-listing.ts",
    mutants: [
      'TarListing.top: #state: State = "header"; → #state: State = "";',
      'TarListing.leave: padding > 0 ? "padding" : "header" → padding > 0 ? "padding" : ""',
      "TarListing.top: #left = 0; → #left = 1;",
      "TarListing.top: #padding = 0; → #padding = 1;",
    ],
    reason: "a header is what is read in no other state, and what is left is said where a file begins",
  },
  {
    file: "src/addons/bundle/tar-listing.ts",
    mutants: [
      'TarListing.leave: this.#state === "notes" → true',
      "TarListing.leave: this.#notes = []; → nothing",
    ],
    reason: "no notes are good notes, and what was good before is good again",
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
    file: "src/addons/supervision/bundled-unit.ts",
    mutants: [
      "lineProblem: /^([A-Za-z]+)\\s*=\\s*(.*)$/u.exec → /^([A-Za-z]*)\\s*=\\s*(.*)$/u.exec",
      "execStart: /^[A-Za-z0-9_@+=:,./-]+$/u.test → /^[A-Za-z0-9_@+=:,./-]*$/u.test",
    ],
    reason: "an empty name is on no list, and text without white space around it has no empty words",
  },
  {
    file: "src/addons/bundle/bundle-format.ts",
    mutants: ["gzipHeaderLength: littleEndian(head, 3, 1) → littleEndian(head, 3, 2)"],
    reason: "what is read beyond is not looked at, and beyond what was read are zeros",
  },
  {
    file: "src/addons/bundle/executable.ts",
    mutants: [
      "elf: Object.entries(ELF).find( ([, m]) => m.machine === machine & …  bits && m.big === big, ) → Object.entries(ELF).findLast( ([, m]) => m.machine === machi …  bits && m.big === big, )",
    ],
    reason: "no two processors have the same machine, width and byte order",
  },
  {
    file: "src/addons/operations/explanation.ts",
    mutants: [
      "explain: list.pushed.find(({ addon_id: id }) => id === assignment.addon_id) → list.pushed.findLast(({ addon_id: id }) => id === assignment.addon_id)",
    ],
    reason: "no list has an id twice",
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
  {
    file: "src/addons/supervision/next-poll.ts",
    mutants: ["nextPollMs: askedMs ?? 0 → askedMs"],
    reason: "to the arithmetic nothing is zero",
  },
];
