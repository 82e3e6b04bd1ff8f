import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { basename, dirname } from "node:path";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { parseEndpoint } from "../host/endpoint.ts";
import { FileStore } from "./file.ts";
import { fetchObject, HttpStore } from "./http.ts";
import type { ObjectRead, Store } from "./store.ts";

export type StoreChoice = {
  /** The bearer token of an http store. */
  readonly token: string | undefined;
  readonly allowInsecureHttp: boolean;
  /** What a relative `file:` directory is relative to. */
  readonly cwd: string;
};

const SCHEME = /^([a-z][a-z0-9+.-]*):/iu;
const LATER = new Set(["s3", "oci", "nats"]);

/** The store that the text of `--store` names. Throws Failure with a usage code; nothing is opened. */
export function chooseStore(text: string, choice: StoreChoice): Store {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === "file") {
    if (choice.token !== undefined) {
      throw new Failure("flags_contradict", "a file store takes no token", {
        hint: "leave out --store-token-env",
      });
    }
    return new FileStore(directoryOf(text, choice.cwd));
  }
  if (scheme === "http" || scheme === "https") {
    return new HttpStore(parseEndpoint(text, endpointPolicy(choice, "--store")), choice.token);
  }
  if (scheme !== undefined && LATER.has(scheme)) throw notInThisBuild(scheme, "--store");
  throw new Failure("invalid_value", `--store is ${quoted(text)}; wanted file:DIR or https://…`, {
    hint: scheme === undefined ? `a directory is written file:${text}` : undefined,
  });
}

/**
 * Opens what an assignment's `artifact_object_key` names: an absolute URL as it is, anything else in `store`. A
 * reference that nothing can resolve is `object_store_unavailable`, never a reason to run something unverified.
 */
export async function openReference(
  store: Store | null,
  choice: StoreChoice,
  read: ObjectRead,
): Promise<AsyncIterable<Uint8Array>> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//iu.exec(read.key)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    if (store !== null) return store.open(read);
    throw new Failure("object_store_unavailable", `no store holds ${quoted(read.key)}`, {
      hint: "pass --store file:DIR or --store https://…",
    });
  }
  if (scheme === "file") {
    const path = filePathOf(read.key);
    return new FileStore(dirname(path)).open({ ...read, key: basename(path) });
  }
  if (scheme === "http" || scheme === "https") {
    const url = parseEndpoint(read.key, {
      ...endpointPolicy(choice, "artifact_object_key"),
      query: "allowed",
    });
    return store instanceof HttpStore ? store.openUrl(url, read) : fetchObject(url, undefined, read);
  }
  throw notInThisBuild(scheme, "artifact_object_key", "object_store_unavailable");
}

function endpointPolicy(
  choice: StoreChoice,
  from: string,
): { from: string; allowInsecureHttp: boolean; path: "allowed" } {
  return { from, allowInsecureHttp: choice.allowInsecureHttp, path: "allowed" };
}

/** `file:DIR`, also relative, and `file:///DIR`. */
function directoryOf(text: string, cwd: string): string {
  if (text.startsWith("file://")) return filePathOf(text);
  const directory = text.slice("file:".length);
  if (directory === "" || directory.includes("\u0000")) {
    throw new Failure("invalid_value", `--store is ${quoted(text)}; wanted file:DIR`);
  }
  return resolve(cwd, directory);
}

function filePathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw new Failure("url_invalid", `${quoted(url)} is no file URL of this machine; wanted file:///path`);
  }
}

function notInThisBuild(
  scheme: string,
  from: string,
  code: "invalid_value" | "object_store_unavailable" = "invalid_value",
): Failure {
  const what = LATER.has(scheme) ? `a ${scheme}: store is not in this build` : `${scheme}: is no store`;
  return new Failure(code, `${from}: ${what}`, { hint: "wanted file:DIR or https://…" });
}
