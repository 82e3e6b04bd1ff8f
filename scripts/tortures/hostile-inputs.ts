import { point, tests, type Group } from "./group.ts";

/** What the program is given: by attackers, broken servers and wrong clocks. */
export const HOSTILE_INPUTS: readonly Group[] = [
  {
    name: "keys",
    title: "Changed keys, signatures and documents",
    how:
      "Every single bit of every signed form is turned round by itself; bytes are changed, cut off, put in, doubled, " +
      "at random and from a list of tricks. The program gets them cut at each byte and with a bit of each byte turned: " +
      "artifact, bundle, envelope, minisign, SSHSIG and raw signatures, keys in three forms, trust root, policy. All " +
      "bits, and what is random, go into the readers and judges alone, without a process for each.",
    survived:
      "refused with a failure that has a code; or accepted, and then what was read is the very same as of the untouched " +
      "file (white space, an unsigned comment). Never an accident, never an endless run.",
    isWide: true,
    minutes: 5,
    injections: [
      point(
        "files that are cut at each byte",
        "the program: eleven kinds of files",
        "test/trust/damaged-files.test.ts",
      ),
      point("files with one bit turned in each byte", "the same", "test/trust/damaged-files.test.ts"),
      point(
        "each bit and each cut of policies, trust roots and detached signatures",
        "signed policy, trust root of two keys, minisign, SSHSIG, signify, raw",
        "test/trust/single-bits.test.ts",
      ),
      point(
        "each bit and each cut of a bundle and of an envelope, any byte, insertions",
        "Sigstore bundle, DSSE envelope",
        "test/trust/tampering.property.test.ts",
      ),
      point(
        "each bit and each cut of a receipt, bundled and bare",
        "receipts of promotions",
        "test/trust/tampering-table.test.ts",
      ),
      point(
        "keys and signatures of other tools, changed beneath their armor",
        "files of openssl, ssh-keygen, minisign, signify",
        "test/trust/foreign-files.property.test.ts",
      ),
      point(
        "documents with bytes and values changed, cut, doubled, or replaced by a bomb",
        "seventeen readers of what others wrote",
        "test/trust/fuzz.property.test.ts",
      ),
    ],
  },
  {
    name: "clocks",
    title: "Clocks",
    how:
      "The program is run by `faketime` at times before, at and behind each bound, thirty seconds and years away, and in " +
      "1970; a clock is set back on a host; the clock of a running server jumps ten years in both directions.",
    survived:
      "within the bounds it holds, outside it is refused with the code for that; what expired stays expired on a host " +
      "whose clock is set back; the chain of events holds over the jumps.",
    isWide: false,
    minutes: 1,
    injections: [
      point(
        "the clock before, at and behind each bound in time, by seconds and by years",
        "keys of trust roots, allowed signers, policies, ages of attestations, statements of add-ons, certificates",
        "test/binary/clocks.test.ts",
      ),
      point(
        "a clock that jumps forth and back",
        "addon-stage, serve (tokens, record of events)",
        "test/binary/clocks.test.ts",
      ),
    ],
  },
  {
    name: "servers",
    title: "Hostile and broken servers",
    how:
      "Real sockets that send what no server should: wrong lengths, cuts, resets, stalls, redirects, endless headers " +
      "and bodies, other compressions, escape sequences, wrong digests, ranges of another object.",
    survived:
      "exit 0 only when the whole listing with exactly one row and the wanted digest in it was really sent, or the bytes " +
      "have the digest that was asked for; otherwise the right exit code within the deadline, memory bounded, and " +
      "nothing of the server's text active on a terminal or in a log.",
    isWide: false,
    minutes: 3,
    injections: [
      point(
        "servers that answer anything at all, lose answers and let others write in between",
        "promote and verify pin, in one process",
        "test/pins/invariant.property.test.ts",
      ),
      point("the same, against the program", "promote, verify pin", "test/pins/invariant.property.test.ts"),
      tests("answers that no server should give", "verify pin", "test/attacks/pin-answers.test.ts"),
      tests(
        "text of a server that does something",
        "promote, verify pin, capture",
        "test/attacks/server-text.test.ts",
      ),
      tests("TLS that breaks or is not theirs", "promote, verify pin", "test/attacks/spoilt-tls.test.ts"),
      tests("stores over HTTP that lie", "addon-stage", "test/stores/hostile-http.test.ts"),
      tests("transfers that break", "addon-stage", "test/stores/broken-transfer.test.ts"),
      tests("OCI registries that lie", "addon-stage, promote --image", "test/stores/oci-hostile.test.ts"),
      tests("lists of assignments that are wrong", "addon-stage", "test/attacks/addon-assignments.test.ts"),
    ],
  },
  {
    name: "cuts",
    title: "Answers and requests that end at each of their bytes",
    how:
      "A control plane ends the connection, by a close or a reset, after each number of bytes of an answer, its head " +
      "counted in: once, or every time. The write whose answer is cut was done, or it was not. A client of `serve` goes " +
      "away after each byte of a promotion and of an upload.",
    survived:
      "exit 0 only when the write was done and a whole listing showed it; otherwise a code that admits what is open (14), " +
      'or what a whole listing showed (8); never "nothing was sent" of a write that was. Nothing ' +
      "of a request that was cut counts, and nothing of it is left.",
    isWide: true,
    minutes: 2,
    injections: [
      point(
        "an answer that ends at each of its bytes, by a close or a reset",
        "promote: the listing before, the answer to a write that was done or not, the listing after",
        "test/pins/cut-answers.test.ts",
      ),
      point(
        "a request that ends at each of its bytes, by a close or a reset",
        "serve",
        "test/control-plane/http/cut-requests.test.ts",
      ),
    ],
  },
  {
    name: "archives",
    title: "Hostile archives, trees and repositories",
    how:
      "Archives with names that lead out, links, devices, sizes that lie, bombs, checksums that are wrong; folders and " +
      "repositories that try to run something, to answer for another file, or to hang a reader.",
    survived:
      "refused with a code, or read as what it is; nothing outside the folder changed, nothing of it ran.",
    isWide: false,
    minutes: 2,
    injections: [
      tests("headers of tar", "the unpacker", "test/attacks/tar-headers.test.ts"),
      tests("gzip and zstd streams", "the unpacker", "test/attacks/tar-compression.test.ts"),
      tests("folders that are hostile", "every command", "test/attacks/hostile-folder.test.ts"),
      tests("filters and conversions of git", "capture", "test/attacks/git-filters.test.ts"),
      tests("programs that a repository names", "capture", "test/attacks/git-programs.test.ts"),
    ],
  },
];
