/** What proves files, statements and sources, beside the tool that everybody has for the same format. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fillNoise, newKey, type SigningKey } from "./harness/artifacts.ts";
import { BINARY, record, roundsOr, type Book } from "./harness/record.ts";
import type { Way } from "./harness/rounds.ts";
import {
  compilePeer,
  hasCommand,
  inNewFolder,
  PEERS,
  plantTree,
  python,
  run,
  skipped,
} from "./harness/workshop.ts";

const rounds = roundsOr(7);
const LARGE = 256 * 2 ** 20;
const SMALL = 4_096;

await inNewFolder(
  (folder) =>
    record("verify", async (book) => {
      const key = newKey(folder);
      await artifacts(book, folder, key, LARGE, "256 MiB", rounds);
      await artifacts(book, folder, key, SMALL, "4 kB", rounds * 3);
      await attestation(book, folder, key);
      await source(book, folder);
    }),
  "/dev/shm",
);

/** Each format on one file. */
async function artifacts(
  book: Book,
  parent: string,
  key: SigningKey,
  bytes: number,
  size: string,
  rounds: number,
): Promise<void> {
  const folder = join(parent, String(bytes));
  mkdirSync(folder);
  const at = (name: string): string => join(folder, name);
  const file = at("file");
  const sha256 = fillNoise(file, bytes);
  const limits = compilePeer("limits", folder);
  const ours = (format: string, ...words: string[]): Way => ({
    name: `waybill, ${format}`,
    role: "ours",
    words: [BINARY, "verify", "artifact", file, "--quiet", ...words],
  });
  const theirs = (format: string, name: string, words: readonly string[]): Way => ({
    name,
    beside: `waybill, ${format}`,
    words,
  });

  writeFileSync(at("sums"), `${sha256}  ${file}\n`);
  const ways = [
    ours("sha256", "--sha256", sha256),
    theirs("sha256", "sha256sum -c", ["sha256sum", "-c", "--quiet", at("sums")]),
    theirs("sha256", "openssl dgst -sha256, compared", [
      ...["sh", "-c", `[ "$(openssl dgst -sha256 -r "$0" | cut -c 1-64)" = ${sha256} ]`, file],
    ]),
  ];

  const sign = (format: string, out: string, ...words: string[]): void =>
    void run([BINARY, "sign", file, "--key", key.privateKey, "--format", format, "--out", out, ...words]);
  sign("raw", at("raw"), "--encoding", "binary");
  const pkeyutl = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key.publicPem, "-rawin"];
  ways.push(
    ours("raw Ed25519", "--signature", at("raw"), "--signature-format", "raw", "--key", key.publicPem),
    theirs("raw Ed25519", "openssl pkeyutl -verify -rawin", [...pkeyutl, "-in", file, "-sigfile", at("raw")]),
  );

  if (hasCommand("minisign", "minisign")) {
    run(["minisign", "-G", "-W", "-p", at("m.pub"), "-s", at("m.key")]);
    run(["minisign", "-S", "-s", at("m.key"), "-m", file, "-x", at("minisig")]);
    ways.push(
      ours("minisign", "--signature", at("minisig"), "--key", at("m.pub")),
      theirs("minisign", "minisign -V", [
        ...["minisign", "-V", "-q", "-p", at("m.pub"), "-m", file, "-x", at("minisig")],
      ]),
    );
  }
  if (hasCommand("signify-openbsd", "signify-openbsd")) {
    run(["signify-openbsd", "-G", "-n", "-p", at("s.pub"), "-s", at("s.sec")]);
    run(["signify-openbsd", "-S", "-s", at("s.sec"), "-m", file, "-x", at("signify")]);
    ways.push(
      ours("signify", "--signature", at("signify"), "--key", at("s.pub")),
      theirs("signify", "signify-openbsd -V", [
        ...["signify-openbsd", "-V", "-q", "-p", at("s.pub"), "-m", file, "-x", at("signify")],
      ]),
    );
  }
  if (hasCommand("ssh-keygen", "openssh-client")) {
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "signer", "-f", at("ssh")]);
    run(["sh", "-c", `ssh-keygen -q -Y sign -f "$0" -n file <"$1" >"$2"`, at("ssh"), file, at("sshsig")]);
    run(["sh", "-c", `sed 's/^/signer /' "$0" >"$1"`, at("ssh.pub"), at("allowed")]);
    const check = `ssh-keygen -q -Y verify -f "$0" -I signer -n file -s "$1" <"$2"`;
    ways.push(
      ours("SSHSIG", "--signature", at("sshsig"), "--trust", at("allowed"), "--namespace", "file"),
      theirs("SSHSIG", "ssh-keygen -Y verify", ["sh", "-c", check, at("allowed"), at("sshsig"), file]),
    );
  }
  const hashed: Way = {
    name: "at the least: as many bytes hashed in memory by SHA-256, once",
    role: "limit",
    beside: "waybill, sha256",
    words: [limits, "sha256", String(bytes), "1"],
  };
  await book.compare({
    title: `verify artifact, a file of ${size}`,
    rounds,
    ways: bytes === LARGE ? [...ways, hashed] : ways,
    ...(bytes === LARGE ? { work: { amount: bytes / 1e6, unit: "MB" } } : {}),
  });
}

/** A Sigstore bundle with a signed statement about one small file. */
async function attestation(book: Book, parent: string, key: SigningKey): Promise<void> {
  const folder = join(parent, "attestation");
  mkdirSync(folder);
  const at = (name: string): string => join(folder, name);
  fillNoise(at("app"), SMALL);
  writeFileSync(at("predicate.json"), JSON.stringify({ name: "bench", packages: ["a", "b", "c"] }));
  const predicate = ["--predicate", at("predicate.json"), "--predicate-type", "https://spdx.dev/Document"];
  run([BINARY, "attest", at("app"), ...predicate, "--key", key.privateKey, "--out", at("bundle.json")]);
  const verify = join(PEERS, "verify-bundle.mjs");
  const words = [verify, at("bundle.json"), key.publicPem, at("app")];
  const ways: Way[] = [
    {
      name: "waybill verify attestation",
      role: "ours",
      words: [
        ...[BINARY, "verify", "attestation", at("bundle.json"), "--subject", at("app"), "--quiet"],
        ...["--key", key.publicPem, "--predicate-type", "https://spdx.dev/Document"],
      ],
    },
    { name: "@sigstore/verify in Bun", words: [process.execPath, ...words] },
  ];
  if (hasCommand("node", "nodejs"))
    ways.push({ name: "@sigstore/verify in Node", words: ["node", ...words] });
  const modules = Bun.spawnSync([python(), "-c", "import securesystemslib.keys, nacl"], { stderr: "ignore" });
  if (modules.success) {
    const hex = Buffer.from(key.base64, "base64").toString("hex");
    const script = join(PEERS, "verify_bundle.py");
    ways.push({
      name: "python3-securesystemslib",
      words: [python(), script, at("bundle.json"), hex, at("app")],
    });
  } else skipped("python3-securesystemslib");
  await book.compare({ title: "verify attestation, a Sigstore bundle", rounds: rounds * 3, ways });
}

/** A folder against its capture. */
async function source(book: Book, folder: string): Promise<void> {
  const tree = plantTree(folder, "medium");
  const capture = join(folder, "capture.json");
  run([BINARY, "capture", tree, "--no-ignore", "--quiet", "--json", "--out", capture]);
  const sums = join(folder, "tree-sums");
  run(["sh", "-c", `find . -type f -print0 | xargs -0 sha256sum >"$0"`, sums], tree);
  await book.compare({
    title: "verify source, 6,700 files",
    rounds,
    ways: [
      {
        name: "waybill verify source",
        role: "ours",
        words: [BINARY, "verify", "source", tree, "--no-ignore", "--capture", capture, "--quiet"],
      },
      { name: "sha256sum -c", words: ["sha256sum", "-c", "--quiet", sums], cwd: tree },
      {
        name: "C, OpenSSL, 2 threads: the tree hash alone",
        words: [compilePeer("tree-hash", folder), tree, "2"],
      },
    ],
  });
}
