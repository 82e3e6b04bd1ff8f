/** Whole processes against a control plane on loopback: `verify pin` and `promote` beside curl, and beside a script. */
import { join } from "node:path";
import { BINARY, record, roundsOr } from "./harness/record.ts";
import type { Way } from "./harness/rounds.ts";
import { compileAsOurs, emptyProgram, inNewFolder, PEERS, plainPath } from "./harness/workshop.ts";

const rounds = roundsOr(25);
const script = join(PEERS, "pin.sh");

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

const VERIFY = "waybill verify pin";
const PROMOTE = "waybill promote";
const CURL = "curl, one GET";
const SCRIPT_VERIFY = "script: verify";
const SCRIPT_PROMOTE = "script: promote";

const ways: Way[] = [
  { name: VERIFY, role: "ours", words: [BINARY, "verify", "pin", ...flags], env, before: pinned },
  {
    name: PROMOTE,
    role: "ours",
    words: [BINARY, "promote", ...flags, "--git-sha", "0123abc"],
    env,
    before: unpinned,
  },
  {
    name: CURL,
    words: ["curl", "-sf", "-o", "/dev/null", "-H", `Authorization: Bearer ${TOKEN}`, `${url}${LISTING}`],
  },
  { name: SCRIPT_VERIFY, words: [script, "verify"], env: { ...env, PATH: plainPath() }, before: pinned },
  { name: SCRIPT_PROMOTE, words: [script, "promote"], env: { ...env, PATH: plainPath() }, before: unpinned },
];

try {
  await inNewFolder((folder) =>
    record("promote", async (book) => {
      const least = (name: string, ...words: string[]): Way => ({
        name: `at the least: ${name} of the same runtime`,
        role: "limit",
        words,
      });
      const oneGet = compileAsOurs(join(PEERS, "one-get.ts"), folder);
      await book.compare({
        title: "A pin over loopback",
        rounds,
        ways: [
          ...ways,
          least("one GET by a program", oneGet, `${url}${LISTING}`, TOKEN),
          least("an empty program", emptyProgram(folder)),
        ],
        goals: [
          { of: VERIFY, against: CURL, most: 1.2 },
          { of: PROMOTE, against: CURL, most: 1.4 },
          { of: VERIFY, against: SCRIPT_VERIFY, timesFaster: 4 },
          { of: PROMOTE, against: SCRIPT_PROMOTE, timesFaster: 4 },
        ],
      });
    }),
  );
} finally {
  await server.stop(true);
}
