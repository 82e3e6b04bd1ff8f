import type { ImageDigest } from "../../src/base/digest.ts";
import { isImageDigest } from "../../src/base/digest.ts";
import type { Answer, Received, Step } from "../support/scripted-server.ts";

export const LIST = "GET /cp/admin/runtime-image";
export const PROMOTE = "POST /cp/admin/runtime-image/promote";

export const OLD: ImageDigest = digest("0");
export const NEW: ImageDigest = digest("a");
export const FOREIGN: ImageDigest = digest("f");

function digest(character: string): ImageDigest {
  const text = `sha256:${character.repeat(64)}`;
  if (isImageDigest(text)) return text;
  throw new Error(text);
}

/** A row as the control plane lists it. A member that is undefined is absent. */
export function row(image_digest: unknown, more: Readonly<Record<string, unknown>> = {}): object {
  return {
    template_name: "codex",
    region: "global",
    image_digest,
    git_sha: "0123abc",
    promoted_at: "2026-08-11T03:50:52.42571Z",
    promoted_by: "api-token-00112233",
    notes: "",
    ...more,
  };
}

export function listing(...rows: readonly unknown[]): Answer {
  return { body: JSON.stringify({ pins: rows }) };
}

/** The state of a control plane with one row: what is promoted is listed from then on. */
export class Board {
  digest: string | null;
  constructor(digest: string | null) {
    this.digest = digest;
  }

  readonly list: Step = () => (this.digest === null ? listing() : listing(row(this.digest)));

  readonly promote: Step = (request) => {
    this.apply(request);
    return { body: JSON.stringify(row(this.digest)) };
  };

  /** A step that applies the write and answers otherwise. */
  applied(answer: Answer): Step {
    return (request) => {
      this.apply(request);
      return answer;
    };
  }

  apply(request: Received): void {
    this.digest = (JSON.parse(request.body) as { image_digest: string }).image_digest;
  }
}
