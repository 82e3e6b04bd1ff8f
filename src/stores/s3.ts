import { Failure } from "../base/failure.ts";
import { printable, quoted } from "../base/printable.ts";
import { parseEndpoint } from "../host/endpoint.ts";
import { request } from "../host/http.ts";
import { connectionFor, openHttpObject, type Reach } from "./http-object.ts";
import { failureOfStatus, StatusFailure } from "./http-status.ts";
import { keySegments } from "./key.ts";
import { escaped, presign, type S3Credentials } from "./s3-presign.ts";
import type { ObjectRead, ObjectStream, ObjectWrite, WritableStore } from "./store.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** A bucket, or a part of one. */
export type S3Place = {
  readonly bucket: string;
  readonly prefix: string;
  readonly style: "path" | "virtual";
};

export type S3Access = {
  readonly endpoint: URL;
  readonly region: string;
  /** null for a bucket that anybody may read. */
  readonly credentials: S3Credentials | null;
};

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/u;

/** `s3://bucket[/prefix][?style=path|virtual]`. Throws Failure `url_invalid`. */
export function parseS3(text: string, from: string, environment: Environment): S3Place {
  const found = /^s3:\/\/([^/?#]*)(\/[^?#]*)?(?:\?style=(path|virtual))?$/iu.exec(text);
  const bucket = found?.[1] ?? "";
  if (found === null || !BUCKET.test(bucket)) {
    throw new Failure(
      "url_invalid",
      `${from} is ${quoted(text)}; wanted s3://bucket[/prefix][?style=path|virtual]`,
    );
  }
  const prefix = (found[2] ?? "").replace(/^\/|\/$/gu, "");
  if (prefix !== "") keySegments(prefix);
  // No certificate covers two labels, and servers of one's own rarely have a wildcard name.
  const usual = endpointVariable(environment) === undefined && !bucket.includes(".") ? "virtual" : "path";
  const style = found[3]?.toLowerCase() ?? usual;
  return { bucket, prefix, style: style === "virtual" ? "virtual" : "path" };
}

/** Endpoint, region and credentials from the usual variables. Throws Failure: url_invalid, credential_missing. */
export function s3Access(
  environment: Environment,
  allowInsecureHttp: boolean,
  keepSecret: (text: string) => void,
): S3Access {
  const value = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const region = value("AWS_REGION") ?? value("AWS_DEFAULT_REGION") ?? "us-east-1";
  if (!/^[a-z0-9-]{1,64}$/u.test(region)) {
    throw new Failure(
      "invalid_value",
      `$AWS_REGION is ${quoted(region)}; wanted a name such as eu-central-1`,
    );
  }
  const variable = endpointVariable(environment);
  const endpoint =
    variable === undefined
      ? new URL(`https://s3.${region}.amazonaws.com`)
      : parseEndpoint(value(variable) ?? "", { from: `$${variable}`, allowInsecureHttp, path: "none" });
  const [accessKeyId, secretAccessKey] = [value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY")];
  const sessionToken = value("AWS_SESSION_TOKEN");
  if (accessKeyId === undefined && secretAccessKey === undefined)
    return { endpoint, region, credentials: null };
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const missing = accessKeyId === undefined ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY";
    throw new Failure("credential_missing", `$${missing} is not set, its other half is`);
  }
  keepSecret(secretAccessKey);
  if (sessionToken !== undefined) keepSecret(sessionToken);
  return { endpoint, region, credentials: { accessKeyId, secretAccessKey, sessionToken } };
}

function endpointVariable(environment: Environment): string | undefined {
  return ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].find((name) => (environment[name] ?? "").trim() !== "");
}

/** Artifacts in an S3 bucket, read by presigned requests through our own HTTP door. */
export class S3Store implements WritableStore {
  readonly name: string;
  readonly #place: S3Place;
  readonly #access: S3Access;
  readonly #reach: Reach;

  constructor(place: S3Place, access: S3Access, reach: Reach) {
    this.#place = place;
    this.#access = access;
    this.#reach = reach;
    this.name = `s3://${place.bucket}${place.prefix === "" ? "" : `/${place.prefix}`}`;
  }

  async open(read: ObjectRead): Promise<ObjectStream> {
    const { region, credentials } = this.#access;
    const plain = this.#urlOf(read.key);
    const url = credentials === null ? plain : presign("GET", plain, region, credentials, new Date());
    return openHttpObject(
      {
        url,
        reach: this.#reach,
        refusal: (status, headers, body) => refusalOf(status, headers, body, plain),
      },
      read,
    );
  }

  async write({ key, file, deadlineMs, stop }: ObjectWrite): Promise<void> {
    const { region, credentials } = this.#access;
    const plain = this.#urlOf(key);
    const url = credentials === null ? plain : presign("PUT", plain, region, credentials, new Date());
    const answer = await request({
      method: "PUT",
      url,
      body: Bun.file(file),
      headers: { "content-type": "application/octet-stream" },
      deadlineMs,
      maxBytes: REFUSAL_BYTES,
      stop,
      ...connectionFor(this.#reach, url),
    });
    if (answer.status === 200) return;
    throw await refusalOf(answer.status, answer.headers, wholeBody(answer.body), plain);
  }

  #urlOf(key: string): URL {
    return s3Url(this.#place, this.#access, key);
  }
}

/** Where an object is, without a signature. */
export function s3Url({ bucket, prefix, style }: S3Place, { endpoint }: S3Access, key: string): URL {
  const path = [...(prefix === "" ? [] : keySegments(prefix)), ...keySegments(key)].map(escaped).join("/");
  const url = new URL(endpoint);
  if (style === "virtual") url.host = `${bucket}.${url.host}`;
  url.pathname = style === "virtual" ? `/${path}` : `/${bucket}/${path}`;
  return url;
}

async function* wholeBody(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

const REFUSAL_BYTES = 16_384;
/** The credential is not, or not any more, what the server knows: another one may work. */
const CREDENTIAL = new Set(["InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"]);

/** What a refusal of an S3 server stands for. */
export async function refusalOf(
  status: number,
  headers: Headers,
  body: AsyncIterable<Uint8Array>,
  url: URL,
): Promise<Failure> {
  const code = await codeIn(body);
  const region = headers.get("x-amz-bucket-region");
  const fail = (failure: "unauthorized" | "redirect_refused", message: string, hint: string): Failure =>
    new StatusFailure(
      failure,
      `${url.host}${url.pathname} ${message} (HTTP ${status} ${code})`,
      { hint },
      { status, headers },
    );
  if (CREDENTIAL.has(code)) {
    return fail("unauthorized", "refused the credential", "check AWS_ACCESS_KEY_ID and what belongs to it");
  }
  if (code === "RequestTimeTooSkewed" || code === "RequestExpired") {
    return fail("unauthorized", "refused the time of the signature", "check this machine's clock");
  }
  if (region !== null && (status === 301 || status === 307 || code === "AuthorizationHeaderMalformed")) {
    return fail("redirect_refused", "is in another region", `set AWS_REGION to ${printable(region, 40)}`);
  }
  return failureOfStatus(status, headers, url, code);
}

/** The error code of an S3 answer, or "": a name, and nothing else of the text. */
async function codeIn(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length >= REFUSAL_BYTES) break;
    }
  } catch {
    // The status says enough.
  }
  return /<Code>([A-Za-z]{1,64})<\/Code>/u.exec(text)?.[1] ?? "";
}
