import { describe, expect, test } from "bun:test";
import { launchOf, systemdDirectory } from "../../../src/addons/supervision/launch.ts";

const spec = { addon_id: "sensor", version: "1.0.0", args: ["--a"] };
const places = {
  program: "/r/addons/sensor/versions/1.0.0/sensor",
  state: "/s",
  config: null,
  serviceradar: false,
};

describe("what a program starts with", () => {
  test("its own arguments come first, the caller's behind them, empty ones too", () => {
    expect(launchOf(spec, places, ["", "--b"], {}, []).args).toEqual(["--a", "", "--b"]);
  });

  test("it gets its places, and a usual PATH when there is none", () => {
    const { env, cwd, path } = launchOf(
      spec,
      { ...places, config: "/s/c.json", serviceradar: true },
      [],
      {},
      [],
    );
    expect({ cwd, path }).toEqual({ cwd: "/s", path: places.program });
    expect(env).toEqual({
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      WAYBILL_ADDON_ID: "sensor",
      WAYBILL_ADDON_VERSION: "1.0.0",
      WAYBILL_ADDON_DIR: "/r/addons/sensor/versions/1.0.0",
      WAYBILL_ADDON_STATE_DIR: "/s",
      WAYBILL_ADDON_CONFIG: "/s/c.json",
      SERVICERADAR_ADDON_STATE_DIR: "/s",
    });
  });

  test("of what it has not it is told nothing", () => {
    const { env } = launchOf(spec, places, [], { LANG: undefined, CHOSEN: undefined }, ["CHOSEN"]);
    expect(Object.keys(env)).toEqual([
      "PATH",
      "WAYBILL_ADDON_ID",
      "WAYBILL_ADDON_VERSION",
      "WAYBILL_ADDON_DIR",
      "WAYBILL_ADDON_STATE_DIR",
    ]);
  });

  const variables: [string, boolean][] = [
    ["LANG", true],
    ["LC_ALL", true],
    ["NOTIFY_SOCKET", true],
    ["STATE_DIRECTORY", true],
    ["https_proxy", true],
    ["http_proxy", true],
    ["no_proxy", true],
    ["HTTPS_PROXY", true],
    ["HTTP_PROXY", true],
    ["MEMORY_PRESSURE_WATCH", true],
    ["CREDENTIALS_DIRECTORY", true],
    ["MY_PATH", false],
    ["PATH_TO_SECRET", false],
    ["LC_", false],
    ["CHOSEN", true],
    ["CP_TOKEN", false],
    ["LD_PRELOAD", false],
    ["BUN_OPTIONS", false],
    ["NODE_OPTIONS", false],
    ["LISTEN_FDS", false],
    ["WAYBILL_TOKEN_PROD", false],
  ];
  test.each(variables)("%s is passed on: %p", (name, passed) => {
    const { env } = launchOf(spec, places, [], { [name]: "x" }, ["CHOSEN"]);
    expect(Object.hasOwn(env, name)).toBe(passed);
  });

  test("nobody names it otherwise by a variable", () => {
    expect(launchOf(spec, places, [], { WAYBILL_ADDON_ID: "other" }, ["WAYBILL_ADDON_ID"]).env).toMatchObject(
      {
        WAYBILL_ADDON_ID: "sensor",
      },
    );
  });
});

test.each([
  ["/var/lib/private/x:/var/lib/private/y", "/var/lib/private/x"],
  ["relative", null],
  ["", null],
  [undefined, null],
])("of the folders %p systemd made %p for us", (value, first) => {
  expect(systemdDirectory({ STATE_DIRECTORY: value }, "STATE")).toBe(first);
});
