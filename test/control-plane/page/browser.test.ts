import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { openDataDirectory } from "../../../src/control-plane/storage/data-directory.ts";
import type { Database } from "../../../src/control-plane/storage/database.ts";
import { openDatabase } from "../../../src/control-plane/storage/open-database.ts";
import { requestHandler } from "../../../src/control-plane/handle.ts";
import { startServer, type RunningServer } from "../../../src/control-plane/http/server.ts";
import { temporaryFolder, type TemporaryFolder } from "../../support/temporary.ts";
import { digestOf, Plane } from "../plane.ts";

/** Debian's browser, as a person has it; the rest of the pages is tested without one. */
const CHROMIUM = Bun.which("chromium");
const wanted = process.env["WAYBILL_FULL"] !== undefined && CHROMIUM !== null;

describe.skipIf(!wanted)("in a browser", () => {
  let folder: TemporaryFolder;
  let database: Database;
  let plane: Plane;
  let server: RunningServer;
  let browser: Browser;
  let token: string;

  beforeAll(async () => {
    // Not while tests are only collected: those that are skipped clean nothing up.
    folder = temporaryFolder();
    const open = (): Promise<Database> => openDatabase(openDataDirectory(folder.path, false).database, true);
    database = await open();
    plane = new Plane(folder, database, open);
    const handle = requestHandler(
      { ...plane.deps, newId: () => crypto.randomUUID() },
      { request: () => undefined, fault: (text) => plane.faults.push(text) },
    );
    server = await startServer({ listen: { kind: "tcp", host: "127.0.0.1", port: 0 }, tls: null, handle });
    browser = await chromium.launch({ executablePath: CHROMIUM ?? "", args: ["--no-sandbox"] });
    token = await plane.token(["admin", "audit:read"], "prod");
    for (const env of ["prod", "staging"]) {
      const writer = await plane.token(["pins:write"], env);
      for (const template of ["codex", "a-template-with-a-long-name-that-has-to-go-somewhere"]) {
        await plane.call("POST", "/cp/admin/runtime-image/promote", {
          token: writer,
          json: {
            template_name: template,
            image_digest: digestOf(env),
            notes: "<img src=x onerror=alert(1)>".repeat(10),
          },
        });
      }
    }
  });
  beforeAll(async () => {
    // Words that end nowhere, in every place that somebody else may fill.
    const endless = (length: number): string => "w".repeat(length);
    const json = { template_name: endless(128), image_digest: digestOf("w"), notes: endless(500) };
    await plane.call("POST", "/cp/admin/runtime-image/promote", { token, json });
    await plane.call("PUT", `/v1/pins/${endless(128)}/global/hold`, {
      token,
      json: { reason: endless(500) },
    });
  });
  beforeAll(async () => {
    const host = await plane.token(["hosts:report"], "prod", null, { name: "agent of web" });
    const version = (text: string): object => ({ version: text, digest: digestOf(text) });
    const [one, two] = [version("1.0.0"), version("2.0.0")];
    const usual = {
      has: one,
      offered: one,
      last_known_good: "1.0.0",
      on_trial: false,
      blocked: [],
      last_error: null,
    };
    const addons = [
      { ...usual, addon_id: "dns", state: "running" },
      { ...usual, addon_id: "own", state: "stopped", has: { version: "7", digest: null }, offered: null },
      {
        ...usual,
        ...{ addon_id: "sensor", state: "degraded", offered: two, blocked: [digestOf("2.0.0")] },
        last_error: `version "2.0.0" was rolled back <img src=x onerror=alert(1)> ${"a".repeat(400)}`,
      },
    ];
    for (const name of [
      "web-1",
      "web-2",
      "a-host-with-a-long-name.that-has-to-go.somewhere.example",
      "w".repeat(253),
    ])
      await plane.call("PUT", `/v1/hosts/${name}/status`, {
        token: host,
        json: { platform: "linux/amd64", addons },
      });
  });
  afterAll(async () => {
    await browser.close();
    await server.stop(0);
    await database.close();
    folder[Symbol.dispose]();
  });

  async function signedIn(
    options: BrowserContextOptions,
    work: (page: Page, said: string[]) => Promise<void>,
  ): Promise<void> {
    const context = await browser.newContext(options);
    try {
      const page = await context.newPage();
      const said: string[] = [];
      page.on("dialog", (dialog) => {
        said.push(`dialog ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on("console", (message) => {
        if (message.type() === "error") said.push(message.text());
      });
      page.on("pageerror", (error) => said.push(error.message));
      await page.goto(`${server.address}/pins/prod/codex/global`);
      await page.getByLabel("Token").fill(token);
      await page.keyboard.press("Enter");
      await page.waitForURL("**/pins/prod/codex/global");
      await work(page, said);
    } finally {
      await context.close();
    }
  }

  const readers: [string, BrowserContextOptions][] = [
    ["with scripts", { viewport: { width: 1200, height: 900 } }],
    ["without scripts", { javaScriptEnabled: false }],
    ["in the dark", { colorScheme: "dark" }],
    ["on a narrow one", { viewport: { width: 320, height: 640 } }],
    ["in colours that the reader forces", { forcedColors: "active" }],
    ["on a phone", { viewport: { width: 390, height: 800 }, isMobile: true, hasTouch: true }],
  ];
  test.each(readers)("every page is whole and quiet %s", async (_name, options) => {
    await signedIn(options, async (page, said) => {
      for (const path of [
        "/",
        "/pins/prod/codex/global",
        `/pins/prod/${"w".repeat(128)}/global`,
        `/digests/${digestOf("prod")}`,
        "/builds",
        "/hosts",
        "/events",
        "/search?q=codex",
      ]) {
        await page.goto(`${server.address}${path}`);
        expect(await page.locator("h1").count()).toBe(1);
        // A wide table may scroll inside its own frame; the page may not.
        const { width } = page.viewportSize() ?? { width: 0 };
        const box = await page.locator("main").boundingBox();
        expect([path, (box?.width ?? 0) <= width]).toEqual([path, true]);
        const inner = await page.evaluate<number>("document.documentElement.scrollWidth");
        expect([path, inner <= width]).toEqual([path, true]);
      }
      expect(said).toEqual([]);
    });
  });

  test("from the keyboard: past the banner to the content, and along to a pin", async () => {
    await signedIn({}, async (page) => {
      await page.goto(server.address);
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the content");
      await page.keyboard.press("Enter");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.waitForURL("**/pins/prod/**");
    });
  });

  test("text stands out from its ground, in light and in dark (WCAG 2.2 §1.4.3)", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await signedIn({ colorScheme }, async (page) => {
        await page.goto(server.address);
        const pairs = await page.evaluate<[string, string][]>(`(() => {
          const ground = getComputedStyle(document.body).backgroundColor;
          return [...document.querySelectorAll("main a, main .quiet, main .mark, main h1")].map(
            (element) => [getComputedStyle(element).color, ground]);
        })()`);
        expect(pairs.length).toBeGreaterThan(5);
        for (const [text, ground] of pairs)
          expect([colorScheme, text, contrast(text, ground) >= 4.5]).toEqual([colorScheme, text, true]);
      });
    }
  });

  test("the picture has its words: a title, links, and the same steps as a list", async () => {
    await signedIn({}, async (page) => {
      expect(await page.locator("svg.lineage").getAttribute("role")).toBe("img");
      const boxes = await page.locator("svg.lineage rect").count();
      expect(boxes).toBeGreaterThan(2);
      expect(await page.locator("ol.steps li").count()).toBe(boxes);
    });
  });
});

/** The ratio of two `rgb(r, g, b)`. */
function contrast(one: string, other: string): number {
  const [a = 0, b = 0] = [luminance(one), luminance(other)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}

function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = (color.match(/[\d.]+/gu) ?? []).slice(0, 3).map((text) => {
    const part = Number(text) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
