import { LIMITS } from "../../base/limits.ts";
import type { StagedBlob } from "../artifacts/blob-store.ts";
import { BUILD_FIELDS, readBuildForm } from "./build-form.ts";
import { refuseOutside } from "../tokens/bounds.ts";
import { readBuildQuery } from "./build-query.ts";
import { refuseFull } from "../artifacts/quota.ts";
import { addBuild, findBuild, isContextKept, listBuilds } from "./builds.ts";
import { boundaryOf, fieldText, formParts } from "./multipart.ts";
import { bodyChunks } from "../http/request-body.ts";
import type { Call, Deps, Route } from "../router.ts";
import { isWithin } from "../tokens/token-bounds.ts";
import { json, WireRefusal } from "../http/wire.ts";

const ARCHIVE = "context_archive";
const FIELD_BYTES = 65_536;
/** The fields and their headers, beside the archive. */
const FORM_BYTES = 1_048_576;

/** The build records: in the place where build uploaders look for them, and with errors as problems below `/v1`. */
export const BUILD_ROUTES: readonly Route[] = [...buildRoutes("/v5/builds"), ...buildRoutes("/v1/builds")];

function buildRoutes(path: string): Route[] {
  // Only where it has always been one.
  const key = path === "/v5/builds" ? ({ takesApiKey: true } as const) : {};
  return [
    { method: "POST", path, access: "builds:write", action: "build.record", ...key, answer: recordBuild },
    { method: "GET", path, access: "builds:read", action: "build.list", ...key, answer: answerList },
    {
      method: "GET",
      path: `${path}/{id}`,
      access: "builds:read",
      action: "build.read",
      ...key,
      answer: answerBuild,
    },
  ];
}

async function answerList({ env, query, bounds }: Call, { database }: Deps): Promise<Response> {
  const wanted = readBuildQuery(query);
  const { items, has_more } = await listBuilds(database, env, wanted, bounds.repos);
  return json({ object: "list", items, has_more, limit: wanted.limit });
}

async function answerBuild({ env, params, bounds }: Call, { database }: Deps): Promise<Response> {
  const build = await findBuild(database, env, params["id"] ?? "");
  if (build === null || !isWithin(bounds.repos, build.source_repo))
    throw new WireRefusal("not_found", "there is no such build");
  return json(build);
}

async function recordBuild({ request, env, by, bounds }: Call, deps: Deps): Promise<Response> {
  const boundary = boundaryOf(request.headers.get("content-type"));
  const body = bodyChunks(request, LIMITS.contextArchiveBytes + FORM_BYTES, "the form");
  const fields = new Map<string, string>();
  let archive: StagedBlob | undefined;
  try {
    for await (const part of formParts(body, boundary)) {
      if (part.name === ARCHIVE) {
        if (part.filename === null) throw new WireRefusal("invalid_field", `${ARCHIVE} must be a file`);
        const bytes = gzipOnly(part.chunks);
        archive = await deps.contexts.receive(bytes, LIMITS.contextArchiveBytes, ARCHIVE);
      } else {
        const text = await fieldText(part, FIELD_BYTES);
        if (BUILD_FIELDS.has(part.name)) fields.set(part.name, text);
      }
    }
    const form = readBuildForm(fields);
    refuseOutside(bounds, "repos", form.source_repo);
    if (archive === undefined) throw new WireRefusal("invalid_field", `${ARCHIVE} is required`);
    if (archive.bytes === 0) throw new WireRefusal("invalid_field", `${ARCHIVE} must not be empty`);
    const { sha256, bytes } = archive;
    await deps.database.read(async (sql) => {
      if (!(await isContextKept(sql, sha256))) await refuseFull(sql, env, bytes, deps.quota);
    });
    const id = deps.newId();
    const kept = { sha256, bytes };
    return json(await archive.keep(() => addBuild(deps.database, env, id, form, kept, by, deps.quota)));
  } catch (error) {
    await archive?.discard();
    throw error;
  }
}

/** Passes on what begins like a gzip member (RFC 1952 §2.3.1): the API takes a tar.gz and nothing else. */
async function* gzipOnly(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const magic = [0x1f, 0x8b];
  let at = 0;
  for await (const chunk of chunks) {
    for (let index = 0; at < magic.length && index < chunk.length; index++, at++) {
      if (chunk[index] !== magic[at]) throw new WireRefusal("invalid_field", `${ARCHIVE} must be a tar.gz`);
    }
    yield chunk;
  }
}
