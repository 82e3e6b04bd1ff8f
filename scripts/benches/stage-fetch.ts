/** Fetch, sha256 and write alone, by the same code as addon-stage: URL, FILE, SHA256. */
import { isSha256 } from "../../src/base/digest.ts";
import { download } from "../../src/stores/download.ts";
import { HttpStore } from "../../src/stores/http.ts";

const [, , address = "", path = "", sha256 = ""] = process.argv;
const url = new URL(address);
if (!isSha256(sha256)) throw new Error("usage: stage-fetch.ts URL FILE SHA256");
const store = new HttpStore(new URL("/", url), undefined);
const source = { name: url.href, key: url.pathname, open: store.openUrl.bind(store, url) };
const limits = { deadlineMs: 600_000, idleMs: 30_000, leastRate: 0, retryBudgetMs: 0 };
const wanted = { sha256, prefixes: [], maxBytes: 8_589_934_592 };
await download([source], wanted, path, limits, new AbortController().signal);
