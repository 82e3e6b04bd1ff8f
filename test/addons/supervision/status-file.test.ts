import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Layout } from "../../../src/addons/on-host/layout.ts";
import { StatusFile } from "../../../src/addons/supervision/status-file.ts";
import type { HostStatus } from "../../../src/addons/supervision/status-report.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const STATUS: HostStatus = {
  schema: "waybill.host-status/v1",
  host: "web-1",
  platform: "linux/amd64",
  config_version: null,
  addons: [],
};

test("what could not be written is written when it can be, and what is there not again", () => {
  using folder = temporaryFolder();
  const root = join(folder.path, "root");
  const file = new StatusFile(new Layout(root, "waybill"));
  file.write(STATUS);
  mkdirSync(root);
  file.write(STATUS);
  const path = join(root, "agent.json");
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(STATUS);
  rmSync(path);
  file.write(STATUS);
  expect(() => readFileSync(path)).toThrow("ENOENT");
});
