import { absent, known, type Known } from "./known.ts";
import { normaliseRemote } from "./remote.ts";

/** Settings in the order in which git reads them; of a name that stands twice git takes the last for most things. */
export type Settings = readonly (readonly [name: string, value: string])[];

/** For `git config --get-regexp`: all that `chooseRepo` looks at. */
export const REMOTE_SETTINGS: string = String.raw`^(remote\..*\.url|branch\..*\.remote)$`;

/** `name LF value NUL` pairs of `git config -z --get-regexp`. Configured URLs, not rewritten by insteadOf. */
export function settingsOf(output: Uint8Array): Settings {
  return new TextDecoder()
    .decode(output)
    .split("\0")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const cut = pair.indexOf("\n");
      // A name without a value is git's way to say true.
      return cut === -1 ? [pair, "true"] : [pair.slice(0, cut), pair.slice(cut + 1)];
    });
}

/**
 * The value that git takes for a setting, or null. Names are in git's spelling: section and last part in lower case.
 */
export function setting(settings: Settings, name: string): string | null {
  return settings.findLast(([found]) => found === name)?.[1] ?? null;
}

/**
 * The remote that the branch tracks, or the URL, as some tools write it there for a fork; else origin, else the only
 * one. Of several URLs the first, which is fetched from. `head` is the full name of the branch.
 */
export function chooseRepo(settings: Settings, head: string | null): Known<string> {
  const urls = new Map<string, string>();
  for (const [name, value] of settings) {
    const remote = /^remote\.(.*)\.url$/su.exec(name)?.[1];
    if (remote === undefined) continue;
    // To git since 2.46 an empty one takes back those before it; to an older one it is no URL.
    if (value === "") urls.delete(remote);
    else if (!urls.has(remote)) urls.set(remote, value);
  }
  const branch = head?.replace(/^refs\/heads\//u, "") ?? null;
  const tracked = branch === null ? null : setting(settings, `branch.${branch}.remote`);
  const named = tracked === null ? undefined : urls.get(tracked);
  // Without a colon it is a path to git, and mostly the name of a remote that is gone.
  if (named === undefined && tracked?.includes(":") === true) {
    const itself = normaliseRemote(tracked);
    if (itself.repo !== null) return known(itself.repo);
    if (itself.reason !== "local_remote") return absent(itself.reason);
  }
  if (urls.size === 0) return absent("no_remote");
  const only = urls.size === 1 ? [...urls.values()][0] : undefined;
  const url = named ?? urls.get("origin") ?? only;
  if (url === undefined) return absent("ambiguous_remote");
  const normalised = normaliseRemote(url);
  return normalised.repo === null ? absent(normalised.reason) : known(normalised.repo);
}
