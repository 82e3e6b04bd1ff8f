/** Whole processes against a control plane on loopback: `verify pin` and `promote` beside curl, and beside a script. */
import { join } from "node:path";
import { measure, report, type Way } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? "7");
const binary = process.env["WAYBILL_BINARY"] ?? "dist/waybill";
const script = join(import.meta.dir, "peers/pin.sh");

const TOKEN = "token-for-the-bench";
const LISTING = "/cp/admin/runtime-image";
const [old, wanted] = ["0", "a"].map((character) => `sha256:${character.repeat(64)}`) as [string, string];

/** As large as a listing of a few teams is. */
function rowsWith(digest: string): object[] {
  const row = { region: "global", git_sha: "0123abc", promoted_by: "api-token-00112233", notes: "bench" };
  const others = Array.from({ length: 12 }, (_, index) => ({
    ...row,
    template_name: `other-${index}`,
    image_digest: old,
  }));
  return [...others, { ...row, template_name: "codex", image_digest: digest }];
}

let live = wanted;
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    if (request.headers.get("authorization") !== `Bearer ${TOKEN}`)
      return new Response(null, { status: 401 });
    const { pathname } = new URL(request.url);
    if (request.method === "GET" && pathname === LISTING) return Response.json({ pins: rowsWith(live) });
    if (request.method !== "POST" || pathname !== `${LISTING}/promote`)
      return new Response(null, { status: 404 });
    const document = (await request.json()) as { image_digest: string };
    live = document.image_digest;
    return Response.json({ template_name: "codex", region: "global", image_digest: live });
  },
});
const url = `http://127.0.0.1:${server.port}`;

const flags = ["--template", "codex", "--digest", wanted, "--target", `prod=${url}`, "--allow-insecure-http"];
const env = {
  WAYBILL_TOKEN_PROD: TOKEN,
  CP_URL: url,
  CP_ADMIN_API_TOKEN: TOKEN,
  TEMPLATE_NAME: "codex",
  IMAGE_DIGEST: wanted,
  GIT_SHA: "0123abc",
};
const pinned = (): void => void (live = wanted);
const unpinned = (): void => void (live = old);

const curl: Way = {
  name: "curl, one GET",
  words: ["curl", "-sf", "-o", "/dev/null", "-H", `Authorization: Bearer ${TOKEN}`, `${url}${LISTING}`],
};
const ways: Way[] = [
  curl,
  { name: "waybill verify pin", words: [binary, "verify", "pin", ...flags], env, before: pinned },
  {
    name: "waybill promote",
    words: [binary, "promote", ...flags, "--git-sha", "0123abc"],
    env,
    before: unpinned,
  },
  { name: "script: verify", words: [script, "verify"], env, before: pinned },
  { name: "script: promote", words: [script, "promote"], env, before: unpinned },
];

try {
  const met = report(`a pin over loopback, ${rounds} rounds`, await measure(ways, rounds), [
    { of: "waybill verify pin", against: curl.name, most: 1.2 },
    { of: "waybill promote", against: curl.name, most: 1.4 },
    { of: "waybill verify pin", against: "script: verify", most: 0.25 },
    { of: "waybill promote", against: "script: promote", most: 0.25 },
  ]);
  process.exitCode = met ? 0 : 1;
} finally {
  await server.stop(true);
}
