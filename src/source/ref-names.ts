/** What HEAD or a loose ref says: an id, or the name of another ref. */
export type RefContent =
  | { readonly kind: "id"; readonly id: string }
  | { readonly kind: "symbolic"; readonly name: string };

const ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u;

/** Null for anything else, also for a name that would lead out of the repository's folder. */
export function parseRefContent(text: string): RefContent | null {
  const line = text.replace(/\s+$/u, "");
  if (ID.test(line)) return { kind: "id", id: line };
  const name = /^ref:[ \t]*(.+)$/u.exec(line)?.[1];
  return name !== undefined && isRefName(name) ? { kind: "symbolic", name } : null;
}

/** The rules of git check-ref-format, for names below `refs/`. */
function isRefName(name: string): boolean {
  if (!name.startsWith("refs/") || name.length > 1_024) return false;
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\.$/u.test(name)) return false;
  return name.split("/").every((part) => part !== "" && !part.startsWith(".") && !part.endsWith(".lock"));
}

/** The id that a list of packed refs has for a name, or null. */
export function packedRef(text: string, name: string): string | null {
  for (const line of text.split("\n")) {
    if (line.endsWith(` ${name}`)) {
      const id = line.slice(0, -name.length - 1);
      if (ID.test(id)) return id;
    }
  }
  return null;
}
