import { decode, list, object, optional, record, string, isMap } from "../../base/decode.ts";
import type { Sha256 } from "../../base/digest.ts";
import { Failure } from "../../base/failure.ts";
import { parseJson, type JsonValue } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { request, shownUrl, type HttpAnswer, type HttpRequest } from "../../host/http.ts";
import { asStranger, connectionFor, type Reach } from "../../stores/http-object.ts";
import { failureOfStatus } from "../../stores/http-status.ts";
import { decodeAssignments } from "../assigned/assignment.ts";
import { shownPlatform, type Platform } from "../assigned/platform.ts";

/** Milliseconds: a call, and an upload of up to a gibibyte. */
const CALL_MS = 30_000;
const UPLOAD_MS = 1_800_000;

type Target = { readonly id: string; readonly version: string; readonly platform: Platform };
type Package = Target & { readonly binaryName: string };
/** An artifact and where it lies, as a package names it. */
export type PublishedArtifact = {
  readonly objectKey: string;
  readonly sha256: Sha256;
  /** base64 of 64 bytes, or "". */
  readonly signature: string;
  /** The envelope of the signed statement, or "". */
  readonly statement: string;
};
/** What the control plane says about one package on one platform. */
export type Named = {
  readonly version: string;
  readonly sha256: string;
  readonly signature: string;
  readonly statement: string;
};

const packages = object({
  packages: list(
    object({
      addon_id: string(),
      version: string(),
      artifacts: record(
        object({ sha256: optional(string()), signature: optional(string()), statement: optional(string()) }),
      ),
    }),
    LIMITS.pinRows,
  ),
});

/** The add-on routes of a control plane. Every method throws Failure for anything but a success. */
export class PublishClient {
  readonly #base: URL;
  readonly #token: string;
  readonly #reach: Reach;
  readonly #stop: AbortSignal;

  constructor(base: URL, token: string, reach: Reach, stop: AbortSignal) {
    this.#base = base;
    this.#token = token;
    this.#reach = reach;
    this.#stop = stop;
  }

  /** The server hashes what comes, so bytes that changed since they were signed are refused there. */
  async upload(file: string, sha256: Sha256): Promise<"new" | "already"> {
    const url = this.#url(["v1", "artifacts", sha256]);
    const answer = await this.#send({
      method: "PUT",
      url,
      body: Bun.file(file),
      headers: { "content-type": "application/octet-stream" },
      deadlineMs: UPLOAD_MS,
    });
    return answer.status === 201 ? "new" : "already";
  }

  async publishPackage(published: Package, artifact: PublishedArtifact): Promise<void> {
    const entry = {
      object_key: artifact.objectKey,
      sha256: artifact.sha256,
      ...(artifact.signature === "" ? {} : { signature: artifact.signature }),
      ...(artifact.statement === "" ? {} : { statement: artifact.statement }),
    };
    await this.#sendJson("POST", this.#url(["v1", "addons", "packages"]), {
      addon_id: published.id,
      version: published.version,
      binary: published.binaryName,
      artifacts: { [shownPlatform(published.platform)]: entry },
    });
  }

  async assign(published: Package): Promise<void> {
    const url = this.#url(["v1", "addons", "assignments", published.id]);
    await this.#sendJson("PUT", url, { version: published.version });
  }

  /** What hosts of the platform are told about the add-on; null for nothing. */
  async assigned({ id, platform }: Package): Promise<Named | null> {
    const url = this.#url(["v1", "addons", "assignments"]);
    url.searchParams.set("platform", shownPlatform(platform));
    const answer = await this.#send({ method: "GET", url, deadlineMs: CALL_MS });
    const all = decodeAssignments(answer.body, { what: whatOf(url), code: "answer_malformed" });
    const found = all.assignments.find((assignment) => assignment.addon_id === id);
    if (found === undefined) return null;
    return {
      version: found.version,
      sha256: found.artifact_sha256,
      signature: found.artifact_signature,
      statement: found.artifact_statement,
    };
  }

  /** What the package says for the platform; null when there is no such package or artifact. */
  async published(target: Target): Promise<Named | null> {
    const { id, version, platform } = target;
    const { url, document } = await this.#packages(target);
    const decoded = decode(packages, document);
    if (!decoded.ok) {
      throw new Failure("answer_malformed", `${whatOf(url)}: ${decoded.problems.slice(0, 3).join("; ")}`);
    }
    const found = decoded.value.packages.find((one) => one.addon_id === id && one.version === version);
    const artifact = found?.artifacts[shownPlatform(platform)];
    if (artifact === undefined) return null;
    return {
      version,
      sha256: artifact.sha256 ?? "",
      signature: artifact.signature ?? "",
      statement: artifact.statement ?? "",
    };
  }

  /** Publishes a package again as it is, with another statement for one platform. */
  async replaceStatement(target: Target, statement: string): Promise<void> {
    const { id, version, platform } = target;
    const all = (await this.#packages(target)).document;
    const entries = isMap(all) && Array.isArray(all["packages"]) ? all["packages"].filter(isMap) : [];
    const found = entries.find((one) => one["addon_id"] === id && one["version"] === version);
    const artifacts = found?.["artifacts"];
    const name = shownPlatform(platform);
    const artifact = isMap(artifacts) ? artifacts[name] : undefined;
    if (!isMap(artifact)) throw new Failure("not_found", `${quoted(id)} is not published any more`);
    await this.#sendJson("POST", this.#url(["v1", "addons", "packages"]), {
      ...found,
      artifacts: { [name]: { ...artifact, statement } },
    });
  }

  /** Whether hosts find the bytes under the key that they are told; a server that names them by no tag is believed. */
  async checkObject(artifact: PublishedArtifact): Promise<void> {
    const url = this.#url(["v1", "artifacts", ...artifact.objectKey.split("/")]);
    const answer = await this.#send({ method: "HEAD", url, deadlineMs: CALL_MS });
    const etag = answer.headers.get("etag");
    const wanted = `"${artifact.sha256}"`;
    if (etag === null || etag === wanted) return;
    throw new Failure(
      "response_mismatch",
      `${shownUrl(url)} has the ETag ${quoted(etag)}; wanted ${quoted(wanted)}`,
    );
  }

  /**
   * The one package alone, of a control plane that knows how to; others tell of all, so it is looked for in any case.
   */
  async #packages({ id, version }: Target): Promise<{ readonly url: URL; readonly document: JsonValue }> {
    const url = this.#url(["v1", "addons", "packages"]);
    url.searchParams.set("addon_id", id);
    url.searchParams.set("version", version);
    const answer = await this.#send({ method: "GET", url, deadlineMs: CALL_MS });
    return { url, document: parseJson(answer.body, { what: whatOf(url), code: "answer_not_json" }) };
  }

  #url(segments: readonly string[]): URL {
    const url = new URL(this.#base);
    const path = segments.map(encodeURIComponent).join("/");
    url.pathname = `${url.pathname.replace(/\/+$/u, "")}/${path}`;
    return url;
  }

  async #sendJson(method: "POST" | "PUT", url: URL, body: JsonValue): Promise<void> {
    const headers = { "content-type": "application/json" };
    await this.#send({ method, url, headers, body: JSON.stringify(body), deadlineMs: CALL_MS });
  }

  async #send(wanted: Omit<HttpRequest, "maxBytes" | "stop">): Promise<HttpAnswer> {
    const answer = await request({
      ...wanted,
      headers: { ...wanted.headers, authorization: `Bearer ${this.#token}` },
      maxBytes: LIMITS.documentBytes,
      stop: this.#stop,
      ...connectionFor(asStranger(this.#reach), wanted.url),
    });
    if (answer.status === 200 || answer.status === 201) return answer;
    throw refusal(answer, wanted.url);
  }
}

function whatOf(url: URL): string {
  return `the answer of ${shownUrl(url)}`;
}

/** The server's own words, and its code where that says more than the status. */
function refusal({ status, headers, body }: HttpAnswer, url: URL): Failure {
  const text = new TextDecoder().decode(body.subarray(0, 4096));
  let said: JsonValue = null;
  try {
    said = parseJson(text, { what: whatOf(url), code: "answer_not_json" });
  } catch {
    // A proxy's page; shown as it is.
  }
  const { error, code } = isMap(said) ? { error: said["error"], code: said["code"] } : {};
  const failure = failureOfStatus(status, headers, url, typeof error === "string" ? error : text);
  if (code !== "hash_mismatch") return failure;
  return new Failure("hash_mismatch", `${shownUrl(url)} received other bytes than were signed`, {
    serverText: failure.serverText,
    hint: "the file changed while it was published; run again when nothing writes to it",
  });
}
