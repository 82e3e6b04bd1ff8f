import { bodyOf, type CallOptions, type Plane } from "./plane.ts";

export type Shown = Readonly<Record<string, unknown>> & { readonly version?: number };
/** An answer whose body was read. */
export type Answer = {
  readonly status: number;
  readonly etag: string | null;
  readonly body: Shown & { readonly current?: Shown | null; readonly stops?: readonly Shown[] };
};

export async function ask(plane: Plane, method: string, path: string, options: CallOptions): Promise<Answer> {
  const answer = await plane.call(method, path, options);
  const body = answer.status === 204 ? {} : await bodyOf<Answer["body"]>(answer);
  return { status: answer.status, etag: answer.headers.get("etag"), body };
}
