import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Host } from "./host.ts";

test("specs that cannot be read are told of, and what they say is not guessed", async () => {
  using host = new Host();
  host.assign(host.program("sample", "1"));
  await host.stage();
  writeFileSync(host.path("sample/.waybill-specs.json"), "{broken");
  const { document } = await host.addon("status", []);
  expect(document["warnings"]).toMatchObject([{ code: "state_unreadable" }]);
  expect((await host.addon("gc", ["--keep", "0", "--dry-run"])).document).toMatchObject({ removed: 0 });
  for (const word of ["rollback", "pin", "unpin"])
    expect(await host.addon(word, ["sample"])).toMatchObject({
      exit: 6,
      document: { error: { code: "record_mismatch" } },
    });
  expect(host.read("sample/.waybill-specs.json")).toBe("{broken");
});
