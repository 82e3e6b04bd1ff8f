/** Every ceiling of the product, with its unit. Each read stops at one of these. */
export const LIMITS = {
  /** bytes of a JSON answer of a control plane */
  apiAnswerBytes: 1_048_576,
  /** bytes of all headers of an answer */
  headerBytes: 65_536,
  /** bytes of a JSON document read from disk or standard input */
  documentBytes: 10_485_760,
  /** depth of nested arrays and objects in any JSON document */
  jsonDepth: 64,
  /** rows of one pin listing, which comes whole, and bytes of it */
  pinRows: 50_000,
  pinListingBytes: 16_777_216,
  /** entries of one assignment list */
  assignments: 1_000,
  /** bytes of a file that holds a token */
  secretBytes: 65_536,
  /** milliseconds that two honest clocks may differ by: a signer's, or that of who made this binary, and this one */
  clockSkewMs: 300_000,
  /** shortest secret, in characters, that the redactor replaces: a shorter one would eat ordinary words */
  redactedSecretChars: 8,
  /** bytes of a file of PEM certificates */
  certificateBytes: 1_048_576,
  /** bytes of a Docker config.json */
  dockerConfigBytes: 1_048_576,
  /** bytes of a key file or a detached signature */
  keyFileBytes: 16_384,
  /** bytes of a file of envelopes or bundles */
  attestationBytes: 10_485_760,
  /** bytes of the receipt of one promotion, as a control plane takes it: all of one version fit into an answer */
  receiptBytes: 32_768,
  /** receipts of one version of a pin: each key that promoted it, and a few attempts */
  receiptsOfVersion: 16,
  /** attestations in one file: each costs a signature check under every key */
  attestations: 500,
  /** subjects of one statement */
  attestationSubjects: 10_000,
  /** signatures times keys that one verification may try: five seconds of the quick check */
  signatureTrials: 100_000,
  /** bytes that such trials may hash, since each of them hashes the whole payload */
  signatureTrialBytes: 4_294_967_296,
  /** signatures of one envelope */
  envelopeSignatures: 16,
  /** keys of one trust root */
  trustedKeys: 1_000,
  /** names, patterns, keys, rules or digests in one list of a trust root, a policy or a receipt */
  trustEntries: 1_000,
  /** bytes of a file of allowed signers */
  allowedSignersBytes: 1_048_576,
  /** bytes of memory that the scrypt of a minisign key may take */
  scryptBytes: 1_073_741_824,
  /** bytes of one line of an ignore file; Docker refuses longer ones */
  ignoreLineBytes: 65_536,
  ignoreFileBytes: 4_194_304,
  /** characters of server text shown to a person */
  serverTextChars: 512,
  /** bytes that git may print on standard output */
  gitOutputBytes: 67_108_864,
  /** bytes of a file in which git keeps one name or one id */
  refFileBytes: 65_536,
  /** bytes of a repository's own configuration, and of its list of packed refs */
  gitConfigBytes: 1_048_576,
  packedRefsBytes: 67_108_864,
  /** submodules of one context, those inside submodules included */
  submodules: 1_000,
  /** bytes of one modified file that is read again to see whether only line ends or a filter differ */
  conversionFileBytes: 8_388_608,
  /** bytes of all of them together */
  conversionBytes: 268_435_456,
  /** files with the name of a secret that are looked into, and bytes of each */
  secretLooks: 1_000,
  secretLookBytes: 16_384,
  /** bytes of the specs of one add-on: three of which each may fill an assignment list, and those to go back to */
  specsBytes: 41_943_040,
  /** arguments of one add-on */
  addonArguments: 1_000,
  /** bytes of one add-on artifact */
  artifactBytes: 1_073_741_824,
  /** files of one bundle */
  bundleEntries: 64,
  /** bytes of one file of a bundle, unpacked */
  bundleFileBytes: 536_870_912,
  /** bytes of all files of a bundle, unpacked */
  bundleBytes: 1_073_741_824,
  /** bytes of zeros that may follow the end of a tar archive: its writer's blocking */
  bundlePaddingBytes: 1_048_576,
  /** bytes that a zstd frame may make its reader keep */
  zstdWindowBytes: 33_554_432,
  /** bytes of one context archive that the build API takes */
  contextArchiveBytes: 524_288_000,
  /** bytes of an archive that is compared with a capture, unpacked */
  unpackedArchiveBytes: 68_719_476_736,
  /** members of such an archive */
  archiveMembers: 2_000_000,
  /** bytes of a pax header or a long name in an archive */
  archiveHeaderBytes: 1_048_576,
  /** bytes of a step summary that the runner takes; a longer one is dropped as a whole */
  stepSummaryBytes: 1_048_576,
  /** characters of one line of a log; Gitea cuts a line at 64 KiB */
  logLineChars: 8_192,
  /** bytes of a list of the files of a context */
  manifestBytes: 536_870_912,
  /** bytes of the audit log of a host */
  auditBytes: 268_435_456,
  /** requests that one control plane works on at once; beyond it they are sent away */
  requestsInFlight: 20_000,
  /** add-ons in what a host reports, and characters of what is wrong with one */
  reportedAddons: 1_000,
  reportedErrorChars: 500,
  /** statements about one digest that a control plane keeps */
  attestationsOfSubject: 100,
  /** events in one answer of a control plane, and bytes of it */
  eventsOfPage: 1_000,
  eventPageBytes: 16_777_216,
  /** bytes of an exported record of events */
  eventExportBytes: 536_870_912,
  /** bytes of one of our notes about what runs */
  runtimeNoteBytes: 65_536,
  /** bytes of a manifest or a unit in a bundle */
  bundleTextBytes: 65_536,
  /** bytes of a unit of the host */
  unitBytes: 262_144,
  /** bytes that a health probe may answer */
  probeAnswerBytes: 65_536,
  /** bytes of each output of a supervised add-on that are kept, and as many of what was before */
  sidecarLogBytes: 1_048_576,
  /** characters of the `notes` of a pin */
  notesChars: 500,
} as const;
