import type { Sha256 } from "../../base/digest.ts";
import { Failure } from "../../base/failure.ts";
import { Hasher } from "../../base/hashing.ts";
import { quoted } from "../../base/printable.ts";
import type { ObjectWrite, WritableStore } from "../../stores/store.ts";

export type StoredIn = { readonly store: string; readonly outcome: "new" | "already" };

/**
 * Puts a file into a store, unless its very bytes are there, and reads it back: only bytes that came out again with
 * their digest are a success. Throws Failure.
 */
export async function putInto(store: WritableStore, object: ObjectWrite): Promise<StoredIn> {
  if (await isThere(store, object)) return { store: store.name, outcome: "already" };
  await store.write(object);
  const found = await digestIn(store, object);
  if (found === object.sha256) return { store: store.name, outcome: "new" };
  throw new Failure(
    "response_mismatch",
    `${store.name} gives ${quoted(object.key)} back with sha256 ${found}; written was ${object.sha256}`,
    { hint: "the file changed while it was read, or the store does not keep what it gets" },
  );
}

/** Nothing there, or something else: both are written over. */
async function isThere(store: WritableStore, object: ObjectWrite): Promise<boolean> {
  try {
    return (await digestIn(store, object)) === object.sha256;
  } catch (error) {
    if (error instanceof Failure && ["not_found", "artifact_too_large"].includes(error.code)) return false;
    throw error;
  }
}

async function digestIn(store: WritableStore, object: ObjectWrite): Promise<Sha256> {
  const { key, sha256, size, deadlineMs, stop } = object;
  const hasher = new Hasher();
  for await (const chunk of await store.open({
    key,
    sha256,
    maxBytes: Math.max(size, 1),
    deadlineMs,
    stop,
  })) {
    hasher.update(chunk);
  }
  return hasher.digest();
}
