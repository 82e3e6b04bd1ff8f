import { printable } from "../base/printable.ts";
import type { Capture } from "./capture.ts";
import { captureDocument } from "./capture-document.ts";
import { warningsOf } from "./capture-warnings.ts";
import { remedyFor } from "./remedies.ts";

/** Why a fact is absent, and what to do about it: told once, though one reason may leave many facts open. */
function absence(reason: string | null, told: Set<string>): string {
  const remedy = reason === null || told.has(reason) ? null : remedyFor(reason);
  told.add(reason ?? "unknown");
  return `– (${reason ?? "unknown"})${remedy === null ? "" : `: ${remedy}`}`;
}

const NAMED = 3;
/** What git calls clean and is other bytes all the same, because of how this machine checks files out. */
const BY_MACHINE = ["eol_only", "filter_only", "mode_only"];

/** The capture for a person. */
export function describeCapture(capture: Capture): string {
  const {
    source_fields: fields,
    context,
    digests,
    matches_commit,
    matches_commit_detail: detail,
    pushed,
    pushed_detail,
    tags,
    ci,
    pull_request,
    volatile: machine,
  } = captureDocument(capture);
  const rows: [string, string][] = [];
  const told = new Set<string>();
  const row = (name: string, value: string | boolean | null | undefined, why: string | null): void => {
    rows.push([name, value === null || value === undefined ? absence(why, told) : printable(String(value))]);
  };
  const { coordinates } = capture;
  row("repo", fields.source_repo, coordinates.source_repo.reason);
  row("commit", fields.source_commit, coordinates.source_commit.reason);
  row("ref", fields.source_ref, coordinates.source_ref.reason);
  if (tags.length > 0) row("tags", tags.join(", "), null);
  row("subpath", fields.source_subpath, coordinates.source_subpath.reason);
  row("dirty", fields.source_dirty, coordinates.source_dirty.reason);
  row("matches commit", matches_commit, detail.reason);
  for (const [kind, count] of Object.entries(detail.counts)) {
    const paths = (detail.samples[kind] ?? []).slice(0, NAMED).map((path) => printable(path));
    rows.push(["", `${count} ${kind}: ${paths.join(", ")}${count > paths.length ? ", …" : ""}`]);
  }
  if (BY_MACHINE.some((kind) => kind in detail.counts)) {
    const facts = Object.entries(machine).flatMap(([name, value]) =>
      value === null ? [] : [`${name} ${value}`],
    );
    rows.push(["this machine", printable(facts.join(", "))]);
  }
  row("pushed", pushed === true ? `true (${pushed_detail.ref})` : pushed, pushed_detail.reason);
  if (ci !== null) row("ci", ci.run_url === null ? ci.system : `${ci.system} ${ci.run_url}`, null);
  if (pull_request !== null) {
    const { number, head, base } = pull_request;
    row("pull request", `${number ?? "?"}: head ${head ?? "unknown"}, base ${base ?? "unknown"}`, null);
    row("tree of head", pull_request.tree_equals_head, pull_request.tree_equals_head_detail.reason);
  }
  row("tree hash", digests["working_tree_hash"], capture.digests.working_tree_hash.reason);
  row("git tree", digests["git_tree"], capture.digests.git_tree.reason);
  row("dir hash", digests["dir_hash"], capture.digests.dir_hash.reason);
  if (digests["tar_sha256"] !== null)
    row("archive", `sha256 ${digests["tar_sha256"]} (of the uncompressed tar)`, null);
  const size = context.bytes === null ? "unread" : counted(context.bytes, "byte", "bytes");
  const { files, dirs, symlinks } = context;
  const held = [
    counted(files, "file", "files"),
    counted(dirs, "folder", "folders"),
    counted(symlinks, "link", "links"),
  ];
  rows.push(["context", `${held.join(", ")}, ${size}`]);
  return rows.map(([name, value]) => `${name.padEnd(15)} ${value}\n`).join("");
}

/** What a person should hear beside the result. */
export function spokenWarnings(capture: Capture): string[] {
  return warningsOf(capture).map((warning) => printable(warning.message));
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
