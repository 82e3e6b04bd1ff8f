import { expect } from "bun:test";
import { digestOf, type Plane } from "../plane.ts";

export const A: string = digestOf("a");
/** What somebody may have stored to be shown. */
export const HOSTILE = `<script>alert(1)</script>"'&\u202e`;

/** A page as the bearer of the token sees it. */
export function look(plane: Plane, path: string, token: string): Promise<Response> {
  return plane.call("GET", path, { headers: { cookie: `waybill=${token}` } });
}

/** Pins the digest A, or what `members` say. */
export async function promote(plane: Plane, env: string, members: object): Promise<void> {
  const token = await plane.token(["pins:write"], env);
  const answer = await plane.call("POST", "/cp/admin/runtime-image/promote", {
    token,
    json: { template_name: "codex", image_digest: A, ...members },
  });
  expect(answer.status).toBe(200);
}
