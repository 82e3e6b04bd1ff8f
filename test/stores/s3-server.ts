import { presign } from "../../src/stores/s3-presign.ts";

export const KEYS = { accessKeyId: "AK", secretAccessKey: "secret-key-1", sessionToken: undefined };

export type S3Server = AsyncDisposable & { readonly url: string; readonly seen: string[] };

/**
 * As much of S3 as reading and writing whole objects need: signatures are checked, ranges are known, errors are XML.
 */
export function s3Server(objects: Map<string, Uint8Array>): S3Server {
  const seen: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const url = new URL(request.url);
      seen.push(url.pathname);
      const refusal = refusalOf(url, request);
      if (refusal !== null)
        return xml(refusal === "AccessDenied" || refusal === "SignatureDoesNotMatch" ? 403 : 400, refusal);
      if (!url.pathname.startsWith("/addons/")) return xml(404, "NoSuchBucket");
      if (request.method === "PUT") {
        objects.set(url.pathname.slice("/addons/".length), new Uint8Array(await request.arrayBuffer()));
        return new Response();
      }
      const bytes = objects.get(url.pathname.slice("/addons/".length));
      if (bytes === undefined) return xml(404, "NoSuchKey");
      const headers = { etag: `"${Bun.hash(bytes).toString(16)}"` };
      const first = Number(/^bytes=(\d+)-$/u.exec(request.headers.get("range") ?? "")?.[1] ?? -1);
      if (first < 0) return new Response(new Uint8Array(bytes), { headers });
      const range = `bytes ${first}-${bytes.length - 1}/${bytes.length}`;
      return new Response(new Uint8Array(bytes.subarray(first)), {
        status: 206,
        headers: { ...headers, "content-range": range },
      });
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, seen, [Symbol.asyncDispose]: () => server.stop(true) };
}

function refusalOf(url: URL, request: Request): string | null {
  const [credential, date] = [
    url.searchParams.get("X-Amz-Credential") ?? "",
    url.searchParams.get("X-Amz-Date"),
  ];
  if (date === null) return "AccessDenied";
  if (!credential.startsWith("AK/")) return "InvalidAccessKeyId";
  const time = new Date(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u, "$1-$2-$3T$4:$5:$6Z"));
  const region = credential.split("/")[2] ?? "";
  const plain = new URL(url.origin + url.pathname);
  plain.host = request.headers.get("host") ?? plain.host;
  const method = request.method === "PUT" ? "PUT" : "GET";
  return presign(method, plain, region, KEYS, time).search === url.search ? null : "SignatureDoesNotMatch";
}

function xml(status: number, code: string): Response {
  return new Response(
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>AK secret</Message></Error>`,
    {
      status,
      headers: { "content-type": "application/xml" },
    },
  );
}
