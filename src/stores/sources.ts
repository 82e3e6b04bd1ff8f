import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { parseEndpoint } from "../host/endpoint.ts";
import { referencedStore, type StoreChoice } from "./choose.ts";
import type { Source } from "./download.ts";
import { asStranger, openHttpObject } from "./http-object.ts";
import { GatewayStore, HttpStore } from "./http.ts";
import type { Store } from "./store.ts";

/** What an assignment says about where its artifact lies; texts are "" when they were not said. */
export type ArtifactReference = {
  /** An absolute URL, or a name below each store. */
  readonly key: string;
  /** The gateway's grant for this one artifact. */
  readonly downloadUrl: string;
  readonly downloadToken: string;
};

/**
 * The places to try, in order: the gateway, as in the original, then what the key names. A reference that nothing can
 * resolve is `object_store_unavailable`, never a reason to run something unverified.
 */
export function sourcesOf(
  reference: ArtifactReference,
  stores: readonly Store[],
  choice: StoreChoice,
): Source[] {
  const { key, downloadUrl, downloadToken } = reference;
  const gateway = downloadUrl === "" ? [] : [gatewaySource(downloadUrl, downloadToken, choice)];
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//iu.exec(key)?.[1]?.toLowerCase();
  const places =
    scheme === undefined ? stores.map((store) => below(store, key)) : [absolute(key, scheme, stores, choice)];
  const sources = [...gateway, ...(key === "" ? [] : places)];
  if (sources.length > 0) return sources;
  throw new Failure("object_store_unavailable", `no store holds ${quoted(key)}`, {
    hint: "pass --store file:DIR or --store https://…",
  });
}

function below(store: Store, key: string): Source {
  return { name: store.name, key, open: (read) => store.open({ ...read, key }) };
}

function gatewaySource(url: string, token: string, choice: StoreChoice): Source {
  if (token !== "") choice.keepSecret(token);
  const place = parseEndpoint(url, {
    from: "download_url",
    allowInsecureHttp: choice.allowInsecureHttp,
    path: "allowed",
    query: "allowed",
  });
  return below(new GatewayStore(place, token === "" ? undefined : token, choice.reach), place.pathname);
}

function absolute(key: string, scheme: string, stores: readonly Store[], choice: StoreChoice): Source {
  if (scheme !== "http" && scheme !== "https") {
    const referenced = referencedStore(key, scheme, choice);
    return below(referenced.store, referenced.key);
  }
  const url = parseEndpoint(key, {
    from: "artifact_object_key",
    allowInsecureHttp: choice.allowInsecureHttp,
    path: "allowed",
    query: "allowed",
  });
  const own = stores.find((store) => store instanceof HttpStore && store.origin === url.origin);
  // The query of a URL may be a signature: it is in no name and in no note.
  const named = { name: `${url.origin}${url.pathname}`, key: url.pathname };
  if (own instanceof HttpStore) return { ...named, open: (read) => own.openUrl(url, read) };
  return { ...named, open: (read) => openHttpObject({ url, reach: asStranger(choice.reach) }, read) };
}
