import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../base/failure.ts";
import { printable, quoted } from "../base/printable.ts";
import { parseEndpoint } from "../host/endpoint.ts";
import type { DockerLogins } from "./docker-config.ts";
import { FileStore } from "./file.ts";
import { asStranger, type Reach } from "./http-object.ts";
import { HttpStore } from "./http.ts";
import { NatsStore } from "./nats.ts";
import { parseNats } from "./nats-place.ts";
import { OciStore } from "./oci.ts";
import { parseOci } from "./oci-reference.ts";
import { parseS3, s3Access, S3Store } from "./s3.ts";
import type { Store, WritableStore } from "./store.ts";

export type StoreChoice = {
  readonly allowInsecureHttp: boolean;
  /** What a relative `file:` directory is relative to. */
  readonly cwd: string;
  /** `os/arch`, for stores that hold several. */
  readonly platform: string;
  readonly reach: Reach;
  /** Where the variables of S3 are looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logins: DockerLogins;
  /** A NATS `.creds` file. */
  readonly natsCredentials: string | undefined;
  /** Told of every secret before it is used. */
  readonly keepSecret: (text: string) => void;
};

const SCHEME = /^([a-z][a-z0-9+.-]*):/iu;
const WANTED = "wanted file:DIR, https://…, s3://…, oci://… or nats://…";

/** The scheme of a URL in lower case; undefined when the text has none. */
export function schemeOf(text: string): string | undefined {
  return SCHEME.exec(text)?.[1]?.toLowerCase();
}

/** Which server a store's token goes to: `host[:port]`; null for a store that takes none. */
export function tokenHost(text: string): string | null {
  const found = /^(?:https?|oci|nats):\/\/([^/?#]+)/iu.exec(text);
  return found?.[1]?.toLowerCase() ?? null;
}

/**
 * The store that the text of a `--store` names; `token` is for it alone. Throws Failure with a usage or an auth code;
 * nothing is opened.
 */
export function chooseStore(text: string, token: string | undefined, choice: StoreChoice): WritableStore {
  const from = "--store";
  const { allowInsecureHttp, reach, keepSecret } = choice;
  switch (schemeOf(text)) {
    case "file":
      return new FileStore(directoryOf(text, choice.cwd));
    case "http":
    case "https":
      return new HttpStore(parseEndpoint(text, { from, allowInsecureHttp, path: "allowed" }), token, reach);
    case "s3": {
      const access = s3Access(choice.environment, allowInsecureHttp, keepSecret);
      return new S3Store(parseS3(text, from, choice.environment), access, reach);
    }
    case "oci":
      return new OciStore(parseOci(text, from), choice.platform, registryAccess(choice, token));
    case "nats":
      return natsStore(text, token, choice);
    case undefined:
      throw new Failure("invalid_value", `--store is ${quoted(text)}; ${WANTED}`, {
        hint: `a directory is written file:${printable(text, 200)}`,
      });
    default:
      throw new Failure("invalid_value", `--store is ${quoted(text)}; ${WANTED}`);
  }
}

/** A store for one absolute reference, and the key of the object in it. */
type Referenced = { readonly store: Store; readonly key: string };

/**
 * What an absolute `artifact_object_key` names, without any credential that was given for a server: those are for
 * the stores that the operator named. Throws Failure: url_invalid, object_store_unavailable.
 */
export function referencedStore(key: string, scheme: string, choice: StoreChoice): Referenced {
  const from = "artifact_object_key";
  const { allowInsecureHttp, reach, environment, keepSecret } = choice;
  const strange = asStranger(reach);
  if (scheme === "file") {
    const path = filePathOf(key);
    return { store: new FileStore(dirname(path)), key: basename(path) };
  }
  if (scheme === "s3") {
    const { prefix, ...place } = parseS3(key, from, environment);
    const access = s3Access(environment, allowInsecureHttp, keepSecret);
    return { store: new S3Store({ ...place, prefix: "" }, access, strange), key: prefix };
  }
  if (scheme === "oci") {
    const access = { ...registryAccess(choice, undefined), reach: strange };
    return { store: new OciStore(parseOci(key, from), choice.platform, access), key: "" };
  }
  if (scheme === "nats") {
    const { prefix, ...place } = parseNats(key, from, allowInsecureHttp);
    const access = { credentialsFile: undefined, token: undefined, reach: strange };
    return { store: new NatsStore({ ...place, prefix: "" }, access), key: prefix };
  }
  throw new Failure("object_store_unavailable", `${from}: ${scheme}: is no store`, { hint: WANTED });
}

function natsStore(text: string, token: string | undefined, choice: StoreChoice): NatsStore {
  const { allowInsecureHttp, natsCredentials: credentialsFile, reach } = choice;
  if (token !== undefined && credentialsFile !== undefined) {
    throw new Failure("flags_contradict", "--nats-creds and a token were both given for a NATS store");
  }
  return new NatsStore(parseNats(text, "--store", allowInsecureHttp), { credentialsFile, token, reach });
}

function registryAccess(
  { logins, reach, allowInsecureHttp, keepSecret }: StoreChoice,
  token: string | undefined,
): ConstructorParameters<typeof OciStore>[2] {
  return { logins, token, reach, allowInsecureHttp, keepSecret };
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
