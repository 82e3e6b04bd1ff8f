import { isSha256, type Sha256 } from "../../base/digest.ts";
import { LIMITS } from "../../base/limits.ts";
import { addArtifact, artifactBytes } from "./artifacts.ts";
import { byteRange } from "./byte-range.ts";
import { noneMatch } from "../http/etag.ts";
import { refuseFull } from "./quota.ts";
import { bodyChunks } from "../http/request-body.ts";
import type { Call, Deps, Route } from "../router.ts";
import { json, WireRefusal } from "../http/wire.ts";

/** Artifacts by digest. They belong to no environment: who knows the digest of bytes knows the bytes. */
export const ARTIFACT_ROUTES: readonly Route[] = [
  {
    method: "PUT",
    path: "/v1/artifacts/{sha256}",
    access: "addons:write",
    action: "artifact.store",
    answer: storeArtifact,
  },
  {
    method: "GET",
    path: "/v1/artifacts/{key...}",
    access: "addons:read",
    action: "artifact.read",
    answer: readArtifact,
  },
];

async function storeArtifact({ request, params, env, by }: Call, deps: Deps): Promise<Response> {
  const { database, quota } = deps;
  const wanted = params["sha256"] ?? "";
  if (!isSha256(wanted)) throw new WireRefusal("not_found", "the path must end in 64 lower-case hex");
  const body = bodyChunks(request, LIMITS.artifactBytes, "an artifact");
  const refuseNew = async (bytes: number): Promise<void> => {
    if ((await artifactBytes(database, wanted)) !== null) return;
    await database.read((sql) => refuseFull(sql, env, bytes, quota));
  };
  // What is announced to be too much is not even received.
  await refuseNew(Number(request.headers.get("content-length") ?? 0));
  const staged = await deps.artifacts.receive(body, LIMITS.artifactBytes, "an artifact");
  try {
    if (staged.sha256 !== wanted) {
      throw new WireRefusal(
        "hash_mismatch",
        `the bytes have sha256 ${staged.sha256}, the path says ${wanted}`,
      );
    }
    await refuseNew(staged.bytes);
    const added = await staged.keep(() => addArtifact(database, env, wanted, staged.bytes, by, quota));
    return json({ sha256: wanted, bytes: staged.bytes }, added ? 201 : 200);
  } catch (error) {
    await staged.discard();
    throw error;
  }
}

async function readArtifact({ request, params }: Call, deps: Deps): Promise<Response> {
  const sha256 = digestOfKey(params["key"] ?? "");
  const size = sha256 === null ? null : await artifactBytes(deps.database, sha256);
  if (sha256 === null || size === null) throw new WireRefusal("not_found", "there is no such artifact");
  const etag = `"${sha256}"`;
  const headers = {
    "content-type": "application/octet-stream",
    "content-disposition": "attachment",
    "accept-ranges": "bytes",
    "cache-control": "private, max-age=31536000, immutable",
    etag,
  };
  if (noneMatch(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  const ifRange = request.headers.get("if-range");
  const asked = request.headers.get("range");
  const range = ifRange !== null && ifRange !== etag ? "whole" : byteRange(asked, size);
  if (range === "unsatisfiable") {
    throw new WireRefusal("range_not_satisfiable", `the artifact has ${size} bytes`, {
      "content-range": `bytes */${size}`,
    });
  }
  if (range === "whole") {
    const whole = { ...headers, "content-length": String(size) };
    if (request.method === "HEAD") return new Response(null, { headers: whole });
    // Bun cuts a file by the Range header on its own, whatever If-Range says, and by one that is none; it leaves other
    // streams alone.
    // From a bucket it is a stream without a length: a broken one ends without the last chunk, and is no answer.
    const bytes = await deps.artifacts.read(sha256, null, size);
    return new Response(asked !== null && bytes instanceof Blob ? passedOn(bytes.stream()) : bytes, {
      headers: whole,
    });
  }
  const piece = {
    ...headers,
    "content-length": String(range.end - range.start),
    "content-range": `bytes ${range.start}-${range.end - 1}/${size}`,
  };
  const body = request.method === "HEAD" ? null : await deps.artifacts.read(sha256, range, size);
  return new Response(body, { status: 206, headers: piece });
}

/** Only the last segment counts, `<sha256>` or `<sha256>.<ext>`: the folders before it are for people. */
function digestOfKey(key: string): Sha256 | null {
  const last = /(?:^|\/)([0-9a-f]{64})(?:\.[A-Za-z0-9][A-Za-z0-9.]{0,31})?$/u.exec(key)?.[1] ?? "";
  return isSha256(last) ? last : null;
}

async function* passedOn(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) yield chunk;
}
