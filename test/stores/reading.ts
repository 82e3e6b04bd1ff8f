import { sha256Of } from "../../src/base/hashing.ts";
import { Failure } from "../../src/base/failure.ts";
import { download, type Download, type DownloadLimits, type Source } from "../../src/stores/download.ts";
import { DockerLogins } from "../../src/stores/docker-config.ts";
import type { StoreChoice } from "../../src/stores/choose.ts";
import type { ObjectRead } from "../../src/stores/store.ts";

export function reading(key: string, more: Partial<ObjectRead> = {}): ObjectRead {
  return { key, maxBytes: 1_000_000, deadlineMs: 20_000, stop: new AbortController().signal, ...more };
}

export async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  // Copied: a chunk may be overwritten by the next one.
  for await (const chunk of chunks) pieces.push(Buffer.from(chunk));
  return Buffer.concat(pieces);
}

/** How stores are chosen in tests: loopback without TLS, and nothing of this machine's own configuration. */
export function choiceWith(more: Partial<StoreChoice> = {}): StoreChoice {
  return {
    allowInsecureHttp: true,
    cwd: "/work",
    platform: "linux/amd64",
    reach: {},
    environment: {},
    logins: new DockerLogins(),
    natsCredentials: undefined,
    keepSecret: () => {},
    ...more,
  };
}

export const LIMITS_OF_TESTS: DownloadLimits = {
  deadlineMs: 20_000,
  idleMs: 5_000,
  leastRate: 0,
  retryBudgetMs: 5_000,
};

/** Brings the bytes to a file with the digest of `bytes`. */
export async function downloadOf(
  bytes: Uint8Array,
  sources: readonly Source[],
  path: string,
  more: Partial<DownloadLimits> = {},
): Promise<Download> {
  const wanted = { sha256: sha256Of(bytes), prefixes: [], maxBytes: 100_000_000 };
  return download(sources, wanted, path, { ...LIMITS_OF_TESTS, ...more }, new AbortController().signal);
}

/** The code of the failure that a promise ends with, or `none`. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (error) {
    return error instanceof Failure ? error.code : String(error);
  }
}
