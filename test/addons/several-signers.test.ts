import { describe, expect, test } from "bun:test";
import type { Wanted } from "../../src/addons/assigned/ask.ts";
import {
  isLowered,
  keysDemanded,
  markAfterSigning,
  NO_MARK,
  signerMark,
  type SignerMark,
} from "../../src/addons/on-host/signer-mark.ts";
import { NO_SPECS } from "../../src/addons/on-host/spec.ts";
import { stated as statedDecoder, type Stated } from "../../src/addons/on-host/stated.ts";
import type { Facts } from "../../src/addons/staging/next-step.ts";
import {
  bareKeys,
  bytesCheck,
  isProvenByStatement,
  namesOf,
  type ReleaseSigners,
} from "../../src/addons/staging/release-signers.ts";
import { trustProblem, trustWarnings, withSignerMark } from "../../src/addons/staging/signer-rules.ts";
import { verifyStatement } from "../../src/addons/staging/verify-statement.ts";
import { decode } from "../../src/base/decode.ts";
import { Failure } from "../../src/base/failure.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { addonStatement } from "../../src/trust/attestation-addon.ts";
import { addSignature, formatEnvelope } from "../../src/trust/dsse.ts";
import type { SigningKey } from "../../src/trust/signing-key.ts";
import { ALICE, APP, BOB, digestOf, envelopeOf, MALLORY, NOW } from "../trust/attestations.ts";
import { refusalOf } from "../trust/refusal.ts";
import { specNamed } from "./specs.ts";
import { FRESH } from "./facts.ts";

const [alice, bob, mallory] = [ALICE, BOB, MALLORY].map(({ publicKey }) => publicKey.keyid);

/** The statement of an artifact with the signatures of these, as one line. */
function signedBy(keys: readonly SigningKey[], more: { sha256?: typeof APP; size?: number } = {}): string {
  const claims = {
    addonId: "sensor",
    version: "1",
    os: "linux",
    arch: "amd64",
    size: more.size ?? 7,
    issued: NOW,
    expires: null,
    minimumVersion: "",
  };
  const [first = ALICE, ...others] = keys;
  const envelope = envelopeOf(addonStatement(more.sha256 ?? APP, claims), first);
  return formatEnvelope(others.reduce((signed, key) => addSignature(key, signed), envelope));
}

function verify(
  statement: string,
  threshold: number,
  keys: readonly SigningKey[],
  more: Partial<ReleaseSigners> = {},
): Stated | null {
  const signers = { ...bareKeys(keys.map(({ publicKey }) => publicKey)), threshold, ...more };
  const wanted = { id: "sensor", version: "1", statement, sha256: APP };
  return verifyStatement(wanted, { os: "linux", arch: "amd64" }, signers, NOW);
}

describe("a statement that several have to sign", () => {
  test("holds with as many keys as have to, and names them", () => {
    expect(verify(signedBy([ALICE, BOB]), 2, [ALICE, BOB])).toMatchObject({
      keyid: alice,
      signers: [alice, bob],
    });
    expect(verify(signedBy([ALICE, BOB, MALLORY]), 2, [ALICE, BOB, MALLORY])?.signers).toHaveLength(3);
  });

  const from = 'the statement of add-on "sensor"';
  const cases: [string, number, SigningKey[], SigningKey[], string][] = [
    [
      "the one that is missing",
      2,
      [ALICE, BOB],
      [ALICE],
      `1 of the wanted 2 keys signed ${from} (${alice}); missing: ${bob}`,
    ],
    [
      "those of whom one is missing",
      2,
      [ALICE, BOB, MALLORY],
      [BOB],
      `1 of the wanted 2 keys signed ${from} (${bob}); missing: 1 of ${alice}, ${mallory}`,
    ],
    [
      "that nobody else may",
      2,
      [ALICE],
      [ALICE],
      `1 of the wanted 2 keys signed ${from} (${alice}); only 0 more may sign it now`,
    ],
    [
      "that too few others may",
      3,
      [ALICE, BOB],
      [ALICE],
      `1 of the wanted 3 keys signed ${from} (${alice}); only 1 more may sign it now`,
    ],
    [
      "all, for a stranger's",
      2,
      [ALICE, BOB],
      [MALLORY],
      `0 of the wanted 2 keys signed ${from}; missing: ${alice}, ${bob}`,
    ],
    [
      "each once",
      2,
      [ALICE, BOB, BOB],
      [ALICE],
      `1 of the wanted 2 keys signed ${from} (${alice}); missing: ${bob}`,
    ],
  ];
  test.each(cases)("names %s", (_what, threshold, keys, by, message) => {
    const refusal = refusalOf(() => verify(signedBy(by), threshold, keys));
    expect([refusal.code, refusal.message]).toEqual(["threshold_not_met", message]);
  });

  test("says whose signature does not count, once, and the names that a trust root has", () => {
    const why = new Failure("key_expired", "key of mallory was valid until yesterday");
    const more = { distrusted: [{ key: MALLORY.publicKey, why }], names: new Map([[bob ?? "", "bob"]]) };
    const both = refusalOf(() => verify(signedBy([ALICE, MALLORY]), 2, [ALICE, BOB], more));
    expect(both.message).toBe(
      `1 of the wanted 2 keys signed ${from} (${alice}); missing: bob; key of mallory was valid until yesterday`,
    );
    const alone = refusalOf(() => verify(signedBy([MALLORY]), 2, [ALICE, BOB], more));
    expect([alone.code, alone.message]).toEqual([
      "threshold_not_met",
      `0 of the wanted 2 keys signed ${from}; missing: ${alice}, bob; key of mallory was valid until yesterday`,
    ]);
    const lines = [signedBy([MALLORY]), signedBy([MALLORY], { size: 8 })].join("\n");
    expect(refusalOf(() => verify(lines, 2, [ALICE, BOB], more)).message.match(/yesterday/gu)).toHaveLength(
      1,
    );
  });

  test("about other bytes is refused for that, whoever signed it", () => {
    const other = { sha256: digestOf("other") };
    const cases = [
      ["subject_mismatch", [ALICE, BOB]],
      ["signature_invalid", [MALLORY]],
    ] as const;
    for (const [code, by] of cases) {
      const refusal = refusalOf(() => verify(signedBy(by, other), 2, [ALICE, BOB]));
      expect(refusal.code).toBe(code);
      expect(refusal.message).toContain("it is about another artifact");
    }
    // What is beside one that somebody signed is no reason against it.
    const beside = [signedBy([ALICE]), signedBy([BOB], other)].join("\n");
    expect(refusalOf(() => verify(beside, 2, [ALICE, BOB])).code).toBe("threshold_not_met");
  });

  test("is the one of several that most keys signed", () => {
    const lines = [signedBy([ALICE], { size: 8 }), signedBy([ALICE, BOB]), signedBy([BOB], { size: 9 })];
    for (const order of [lines, lines.toReversed()])
      expect(verify(order.join("\n"), 1, [ALICE, BOB])).toMatchObject({ size: 7, signers: [alice, bob] });
  });
});

const STATED: Stated = {
  envelope: "{}",
  keyid: "k",
  signers: ["k", "l"],
  size: 1,
  expires: "",
  minimum_version: "",
};
const ONE: Stated = { ...STATED, signers: ["k"] };

const FACTS: Facts = { ...FRESH, keys: 2, rootVersion: 3, now: NOW };
const MARK: SignerMark = { keys: 2, root_version: 3 };

const wanted = (signature: Uint8Array | null): Wanted => ({ id: "sensor", signature }) as unknown as Wanted;
const [SIGNED, UNSIGNED] = [wanted(new Uint8Array(64)), wanted(null)];

describe("how an artifact has to be signed", () => {
  const found = (count: number): string =>
    `${count} of the wanted 2 keys signed a statement about the artifact`;
  const problems: [string, Wanted, Partial<Facts>, string | null][] = [
    ["by one key", SIGNED, {}, null],
    [
      "by one key, and nobody may",
      SIGNED,
      { keys: 0 },
      "signature_invalid: the artifact is signed and there is no key that may sign this add-on",
    ],
    ["not at all", UNSIGNED, {}, "unsigned: the artifact has no signature"],
    [
      "not at all, after it was",
      UNSIGNED,
      { signedBefore: true },
      "unsigned: the artifact has no signature; earlier ones of this add-on were signed",
    ],
    ["not at all, and that is allowed", UNSIGNED, { allowUnsigned: true }, null],
    [
      "by one key, where two have to",
      SIGNED,
      { threshold: 2 },
      `threshold_not_met: ${found(0)}: none came with it`,
    ],
    [
      "by a statement of one, where two have to",
      SIGNED,
      { threshold: 2, stated: ONE },
      `threshold_not_met: ${found(1)}: none came with it`,
    ],
    ["by a statement of two", UNSIGNED, { threshold: 2, stated: STATED, keys: 0 }, null],
    [
      "by a statement of two, where one has to",
      UNSIGNED,
      { stated: STATED },
      "unsigned: the artifact has no signature",
    ],
    ["by fewer, where that is allowed", UNSIGNED, { threshold: 2, allowUnsigned: true }, null],
    [
      "by fewer than before",
      SIGNED,
      { signerMark: MARK, stated: ONE },
      `threshold_not_met: ${found(1)}; so many signed earlier ones of this add-on, and this run asks for 1`,
    ],
    ["by fewer than before, as a newer root says", SIGNED, { signerMark: MARK, rootVersion: 4 }, null],
    ["by as many as before", SIGNED, { signerMark: MARK, stated: STATED }, null],
  ];
  test.each(problems)("%s: %#", (_what, asked, facts, problem) => {
    const failure = trustProblem(asked, { ...FACTS, ...facts });
    expect(failure === null ? null : `${failure.code}: ${failure.message}`).toBe(problem);
  });

  test("in a hint that fits the loss", () => {
    const hint = (facts: Partial<Facts>): string | undefined =>
      trustProblem(UNSIGNED, { ...FACTS, ...facts })?.hint;
    expect([hint({}), hint({ signedBefore: true })]).toEqual([
      "sign it, or pass --allow-unsigned sensor",
      "a signature that vanished is how a downgrade looks; find out why before you allow it",
    ]);
  });

  const lowered =
    'threshold_lowered: add-on "sensor" needed 2 keys before; version 4 of the trust root asks for 1';
  const unsigned = 'unsigned_allowed: add-on "sensor" is not signed; --allow-unsigned lets it pass';
  const fewer = (count: number): string =>
    `fewer_signers_allowed: add-on "sensor" is signed by ${count} of the wanted 2 keys; --allow-unsigned lets it pass`;
  const warnings: [string, Wanted, Partial<Facts>, string[]][] = [
    ["by one key", SIGNED, {}, []],
    ["not at all", UNSIGNED, {}, [unsigned]],
    [
      "not at all, after it was",
      UNSIGNED,
      { signedBefore: true },
      [
        'unsigned_after_signed: add-on "sensor" was signed before and is not any more; --allow-unsigned lets it pass',
      ],
    ],
    ["by fewer than a newer root wanted", SIGNED, { signerMark: MARK, rootVersion: 4 }, [lowered]],
    ["not at all, and less is wanted", UNSIGNED, { signerMark: MARK, rootVersion: 4 }, [lowered, unsigned]],
    ["by a statement of two", UNSIGNED, { threshold: 2, stated: STATED }, []],
    ["by one where two have to", SIGNED, { threshold: 2, stated: ONE }, [fewer(1)]],
    ["by none where two had to", UNSIGNED, { signerMark: MARK }, [fewer(0)]],
    [
      "by one where three had to and two have to",
      SIGNED,
      { signerMark: { keys: 3, root_version: 3 }, threshold: 2, rootVersion: 4, stated: ONE },
      [
        'threshold_lowered: add-on "sensor" needed 3 keys before; version 4 of the trust root asks for 2',
        fewer(1),
      ],
    ],
  ];
  test.each(warnings)("is told of one that is signed %s: %#", (_what, asked, facts, told) => {
    const all = trustWarnings(asked, { ...FACTS, ...facts });
    expect(all.map(({ code, message }) => `${code}: ${message}`)).toEqual(told);
  });

  const kept: [string, Partial<Facts>, Parameters<typeof specNamed>[1], SignerMark | null][] = [
    ["of one key", {}, { keyid: "k" }, null],
    ["of two keys", { threshold: 2 }, { stated: STATED }, { keys: 2, root_version: 3 }],
    ["of one where two had to", { threshold: 2 }, { keyid: "k" }, null],
    ["of one statement where two had to", { threshold: 2 }, { keyid: "k", stated: ONE }, null],
    [
      "of fewer by a newer root",
      { signerMark: MARK, rootVersion: 4 },
      { keyid: "k" },
      { keys: 1, root_version: 4 },
    ],
    ["of nobody by a newer root", { signerMark: MARK, rootVersion: 4 }, {}, null],
  ];
  test.each(kept)("is remembered %s", (_what, facts, spec, mark) => {
    const specs = withSignerMark(NO_SPECS, { ...FACTS, ...facts }, specNamed("1", spec));
    if (mark === null) expect(specs).toBe(NO_SPECS);
    else expect(specs).toEqual({ ...NO_SPECS, signer_mark: mark });
  });
});

describe("how many keys have to sign on a host", () => {
  test("is one, until more did", () => {
    expect(NO_MARK).toEqual({ keys: 1, root_version: 0 });
  });

  test.each([
    [{ keys: 2, root_version: 3 }, 1, 3, 2, false],
    [{ keys: 2, root_version: 3 }, 1, 4, 1, true],
    [{ keys: 2, root_version: 3 }, 3, 2, 3, false],
    [{ keys: 2, root_version: 3 }, 2, 4, 2, false],
    [NO_MARK, 1, 0, 1, false],
  ])(
    "was %p and is asked for as %i by version %i: %i, lowered %p",
    (mark, threshold, rootVersion, keys, lowered) => {
      const demand = { threshold, rootVersion };
      expect([keysDemanded(mark, demand), isLowered(mark, demand)]).toEqual([keys, lowered]);
    },
  );

  test.each<[SignerMark, number, number, number, SignerMark | null]>([
    [NO_MARK, 1, 7, 1, null],
    [NO_MARK, 2, 7, 2, { keys: 2, root_version: 7 }],
    [NO_MARK, 2, 7, 1, null],
    [MARK, 1, 4, 1, { keys: 1, root_version: 4 }],
    [MARK, 1, 4, 0, null],
    [MARK, 3, 2, 3, { keys: 3, root_version: 3 }],
    [MARK, 1, 3, 2, { keys: 2, root_version: 3 }],
  ])(
    "was %p; asked for %i by version %i and signed by %i it becomes %p",
    (mark, threshold, rootVersion, signers, after) => {
      const found = markAfterSigning(mark, { threshold, rootVersion }, signers);
      if (after === null) expect(found).toBe(mark);
      else expect(found).toEqual(after);
    },
  );

  test("is read within bounds", () => {
    const isRead = (keys: number, root_version: number): boolean =>
      decode(signerMark, { keys, root_version }).ok;
    expect([isRead(1, 0), isRead(LIMITS.trustedKeys, Number.MAX_SAFE_INTEGER)]).toEqual([true, true]);
    expect([isRead(0, 0), isRead(LIMITS.trustedKeys + 1, 0), isRead(1, -1)]).toEqual([false, false, false]);
  });
});

describe("who signed what was noted", () => {
  const { signers: _, ...early } = STATED;
  test("is the one key of an earlier build, where none are named", () => {
    const signers = [early, { ...early, signers: [] }, STATED].map((document) => {
      const found = decode(statedDecoder, document);
      return found.ok ? found.value : null;
    });
    expect(signers).toEqual([ONE, ONE, STATED]);
  });

  test("is a list of as many as a trust root has keys", () => {
    const of = (count: number): boolean =>
      decode(statedDecoder, { ...early, signers: Array<string>(count).fill("k") }).ok;
    expect([of(LIMITS.trustedKeys), of(LIMITS.trustedKeys + 1)]).toEqual([true, false]);
    expect(decode(statedDecoder, { ...early, size: "1" }).ok).toBe(false);
  });
});

describe("whoever may sign", () => {
  const bare = bareKeys([ALICE.publicKey]);

  test("is one bare key, of no root and without a name", () => {
    expect(bare).toEqual({
      keys: [ALICE.publicKey],
      threshold: 1,
      distrusted: [],
      names: new Map(),
      rootVersion: 0,
    });
    expect(namesOf(["k", "l"], { names: new Map([["l", "bob"]]) })).toBe("k, bob");
  });

  test.each<[number, Stated | null, boolean]>([
    [1, STATED, false],
    [2, STATED, true],
    [2, ONE, false],
    [3, STATED, false],
    [2, null, false],
  ])("of %i, by the statement %p, is proven: %p", (threshold, stated, isProven) => {
    expect(isProvenByStatement(threshold, stated)).toBe(isProven);
    const signature = new Uint8Array(64);
    const check = { signature, keys: bare.keys };
    expect(bytesCheck(signature, { ...bare, threshold }, stated)).toEqual(isProven ? null : check);
    expect(bytesCheck(null, { ...bare, threshold }, stated)).toBeNull();
  });
});
