import { expect, test } from "bun:test";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createKeyFile } from "../../../src/trust/key-file.ts";
import { formsOf } from "../../../src/trust/key-forms.ts";
import { inFolder, waybill, waybillJson } from "../run-waybill.ts";

/**
 * A pipeline names the key that it trusts as text, where everybody can read it. Whoever can put files into the folder
 * that the pipeline runs in names a file like that text and puts a key of their own into it.
 */
const FORMS = ["hex", "base64", "minisign", "ssh", "spki_pem"] as const;

test.each(FORMS)("the key of an attacker in a file named like the trusted key, %s", async (form) => {
  await inFolder(async (cwd) => {
    createKeyFile(join(cwd, "attacker"));
    // A name that ends in "/" is a folder's, and one that begins with it lies elsewhere.
    let text = "/";
    for (let at = 0; /^\/|\/$/u.test(text); at++)
      text = formsOf(createKeyFile(join(cwd, `release${at}`)).publicKey)[form].trim();
    writeFileSync(join(cwd, "app"), "malware");
    const signed = await waybill(["sign", "app", "--key", "attacker", "--format", "raw"], { cwd });
    expect(signed.exit).toBe(0);
    // A "/" in base64 makes folders of the name.
    const planted = join(cwd, text);
    mkdirSync(dirname(planted), { recursive: true });
    copyFileSync(join(cwd, "attacker.pub"), planted);

    const verify = ["verify", "artifact", "app", "--signature", "app.sig", `--key=${text}`];
    const ran = await waybillJson(verify, { cwd });
    expect([ran.exit, ran.document.error?.code as string]).toEqual([2, "invalid_value"]);
    expect(ran.document["checked"]).toBe(0);
    // Somebody who means the file names it with its path; a PEM text is one behind any words.
    if (form === "spki_pem") return;
    const meant = await waybillJson([...verify.slice(0, -1), `--key=./${text}`], { cwd });
    expect(meant.exit).toBe(0);
  });
});
