import { sha256Of } from "../base/hashing.ts";

export type S3Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
};

/** Seconds that a signed URL is good for: long enough for a slow start, too short to be of use in a log. */
const EXPIRES = 900;

/**
 * The URL with an AWS Signature Version 4 in its query, for one method and object. Only the host is signed as a
 * header, so that a Range may go along. `url` has no query and its path is escaped as it will be sent.
 */
export function presign(
  method: "GET" | "PUT",
  url: URL,
  region: string,
  credentials: S3Credentials,
  now: Date,
  expires: number = EXPIRES,
): URL {
  const time = `${now.toISOString().slice(0, 19).replace(/[-:]/gu, "")}Z`;
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const query: readonly (readonly [string, string])[] = [
    ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
    ["X-Amz-Credential", `${accessKeyId}/${scope}`],
    ["X-Amz-Date", time],
    ["X-Amz-Expires", String(expires)],
    ...(sessionToken === undefined ? [] : ([["X-Amz-Security-Token", sessionToken]] as const)),
    ["X-Amz-SignedHeaders", "host"],
  ];
  const canonicalQuery = query.map(([name, value]) => `${name}=${escaped(value)}`).join("&");
  const request = [method, url.pathname, canonicalQuery, `host:${url.host}\n`, "host", "UNSIGNED-PAYLOAD"];
  const hashed = sha256Of(request.join("\n"));
  const key = [time.slice(0, 8), region, "s3", "aws4_request"].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${secretAccessKey}`,
  );
  const signature = hmac(key, ["AWS4-HMAC-SHA256", time, scope, hashed].join("\n")).toString("hex");
  const signed = new URL(url);
  signed.search = `?${canonicalQuery}&X-Amz-Signature=${signature}`;
  return signed;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return new Bun.CryptoHasher("sha256", key).update(text).digest();
}

/** As AWS escapes: everything but letters, digits and `-._~`, a slash too. */
export function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
