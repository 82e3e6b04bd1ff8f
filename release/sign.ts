import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROVENANCE_TYPE } from "./provenance.ts";
import { run, type Source } from "./source.ts";

/** The release predicate of in-toto: these files are this version. */
const RELEASE_TYPE = "https://in-toto.io/attestation/release/v0.1";

type Signed = {
  readonly source: Source;
  /** The waybill that signs. */
  readonly waybill: string;
  /** Where the files of the release are. */
  readonly out: string;
  readonly scratch: string;
  /** Names of files in `out`. */
  readonly archive: string;
  readonly capture: string;
  readonly executables: readonly string[];
  /** `--key FILE`, with what opens it. */
  readonly key: readonly string[];
};

/** Signs the list of sums in three forms, and what is said about the sources and each executable. */
export function signRelease({ source, waybill, out, scratch, ...named }: Signed): void {
  const env = { SOURCE_DATE_EPOCH: String(source.epoch) };
  const sign = (...words: readonly string[]): string => run([waybill, ...words, ...named.key], env);
  const at = (name: string): string => join(out, name);

  const list = at("SHA256SUMS");
  sign("sign", list, "--format", "minisign", "--out", `${list}.minisig`);
  sign("sign", list, "--format", "ssh", "--namespace", "file", "--out", `${list}.sig`);
  const release = join(scratch, "release.json");
  writeFileSync(release, JSON.stringify({ purl: `pkg:generic/waybill@${source.version}` }));
  sign("attest", list, "--predicate", release, "--predicate-type", RELEASE_TYPE);

  sign("attest", at(named.archive), "--capture", at(named.capture));
  for (const name of named.executables) {
    const predicate = at(`${name}.provenance.json`);
    sign("attest", at(name), "--predicate", predicate, "--predicate-type", PROVENANCE_TYPE);
  }
}
