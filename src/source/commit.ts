/** What a commit object says of itself. */
export type Commit = {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: { readonly name: string; readonly email: string } | null;
  /** The committer's instant, RFC 3339 in UTC; null when the object has none that a calendar knows. */
  readonly committedAt: string | null;
  /** Whether it carries a signature. Nothing is said about whose. */
  readonly signed: boolean;
};

const PERSON = /^(.*?) ?<([^<>]*)>(?: (-?\d{1,15}) [+-]\d{4})?$/su;

/** Reads the bytes of a commit object. Names that are not UTF-8 are read as the object says, or come out replaced. */
export function readCommitObject(bytes: Uint8Array): Commit {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const end = raw.indexOf("\n\n");
  const headers = (end === -1 ? raw : raw.slice(0, end)).split("\n");
  const all = (name: string): string[] =>
    headers.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  const [encoding = "utf-8"] = all("encoding");
  const person = (name: string): RegExpExecArray | null => {
    const [line] = all(name);
    return line === undefined ? null : PERSON.exec(decoded(line, encoding));
  };
  const author = person("author");
  const seconds = person("committer")?.[3];
  return {
    tree: all("tree")[0] ?? "",
    parents: all("parent"),
    author: author === null ? null : { name: author[1] ?? "", email: author[2] ?? "" },
    committedAt: seconds === undefined ? null : instantOf(Number(seconds)),
    signed: all("gpgsig").length > 0 || all("gpgsig-sha256").length > 0,
  };
}

function decoded(latin1: string, encoding: string): string {
  const bytes = Buffer.from(latin1, "latin1");
  try {
    // The constructor refuses the names that it does not know.
    return new TextDecoder(encoding as "utf-8").decode(bytes); // oxlint-disable-line typescript/no-unsafe-type-assertion
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

function instantOf(seconds: number): string | null {
  const instant = new Date(seconds * 1000);
  return Number.isNaN(instant.getTime()) ? null : instant.toISOString().replace(".000Z", "Z");
}
