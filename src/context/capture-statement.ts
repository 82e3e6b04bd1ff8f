import { Failure } from "../base/failure.ts";
import type { Capture } from "./capture.ts";
import { captureDocument } from "./capture-document.ts";

const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
/** `.invalid` is reserved for names that nobody can own: this is an identifier and no address. */
const CAPTURE_TYPE = "https://waybill.invalid/attestation/capture/v1";

type Subject = { readonly name: string; readonly digest: Readonly<Record<string, string>> };

/**
 * An in-toto statement about the context, unsigned: what `waybill attest --capture` signs, without the time. Throws
 * Failure `requirement_unknown` when there is no digest, for it would be about nothing.
 */
export function captureStatement(capture: Capture): {
  readonly _type: string;
  readonly subject: readonly Subject[];
  readonly predicateType: string;
  readonly predicate: ReturnType<typeof captureDocument>;
} {
  const { working_tree_hash: hash, git_tree: gitTree, dir_hash: dirHash, tar_sha256: tar } = capture.digests;
  const subject = [
    { name: "context.tar", digest: present({ sha256: tar.value }) },
    {
      name: "context",
      digest: present({ working_tree_hash: hash.value, gitTree: gitTree.value, dirHash: dirHash.value }),
    },
  ].filter(({ digest }) => Object.keys(digest).length > 0);
  if (subject.length === 0) {
    const why = hash.reason ?? "unknown";
    throw new Failure("requirement_unknown", `no statement can be made: the context has no digest (${why})`, {
      hint: "look at the warnings of the capture",
    });
  }
  return {
    _type: STATEMENT_TYPE,
    subject,
    predicateType: CAPTURE_TYPE,
    predicate: captureDocument(capture),
  };
}

function present(digests: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(digests).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
}
