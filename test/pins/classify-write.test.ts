import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import type { FailureCode } from "../../src/base/exit-codes.ts";
import { failureCodes } from "../../src/base/exit-codes.ts";
import { classifyWrite, type WriteAnswer } from "../../src/pins/classify-write.ts";
import { classifyAbsentListing, classifyRead, mayReadAgain } from "../../src/pins/classify-read.ts";
import type { Heard } from "../../src/pins/server-text.ts";
import { FOREIGN, NEW } from "./rows.ts";
import { WANTED } from "./run-legs.ts";

function heard(status: number, body = "", headers: Readonly<Record<string, string>> = {}): Heard {
  return { status, headers: new Headers(headers), body: new TextEncoder().encode(body) };
}

function write(status: number, body = "", wanted = WANTED): WriteAnswer {
  return classifyWrite(heard(status, body), wanted);
}

function shown(answer: WriteAnswer): string {
  return answer.kind === "accepted"
    ? "accepted"
    : `${answer.kind} ${answer.failure.exitCode} ${answer.failure.code}`;
}

const echo = (more: object): string =>
  JSON.stringify({ template_name: "codex", region: "global", image_digest: NEW, ...more });
const error = (text: string, code?: unknown): string => JSON.stringify({ error: text, code });

describe("the answer to a promotion", () => {
  const rows: [number, string, string][] = [
    [200, echo({}), "accepted"],
    [200, "", "accepted"],
    [200, "{}", "accepted"],
    [200, "thank you", "accepted"],
    [200, '["anything"]', "accepted"],
    [200, echo({ region: null, template_name: undefined }), "accepted"],
    [200, echo({ error: null }), "accepted"],
    [201, echo({}), "accepted"],
    [202, "", "accepted"],
    [204, "", "accepted"],
    [299, "", "accepted"],

    [200, error("no"), "refused 10 answer_unexpected"],
    [200, echo({ template_name: "hermes" }), "refused 8 response_mismatch"],
    [200, echo({ image_digest: FOREIGN }), "refused 8 response_mismatch"],
    [200, echo({ image_digest: `${NEW}\n` }), "refused 8 response_mismatch"],
    [200, echo({ region: "eu" }), "refused 8 response_mismatch"],
    [200, echo({ region: {} }), "refused 8 response_mismatch"],
    [200, echo({ image_digest: [{ a: 1 }] }), "refused 8 response_mismatch"],
    [201, echo({ image_digest: 7 }), "refused 8 response_mismatch"],

    // No final answer, or none that HTTP knows: the request itself may have been taken.
    [99, "", "ambiguous 10 answer_unexpected"],
    [101, "", "ambiguous 10 answer_unexpected"],
    [199, "", "ambiguous 10 answer_unexpected"],

    [300, "", "refused 10 redirect_refused"],
    [301, "", "refused 10 redirect_refused"],
    [302, "", "refused 10 redirect_refused"],
    [303, "", "refused 10 redirect_refused"],
    [304, "", "ambiguous 10 answer_unexpected"],
    [307, "", "refused 10 redirect_refused"],
    [308, "", "refused 10 redirect_refused"],
    [399, "", "refused 10 redirect_refused"],

    [400, error("image_digest must be sha256:<64 hex>"), "refused 9 request_rejected"],
    [401, error("unauthorized"), "refused 4 unauthorized"],
    [402, "", "refused 9 request_rejected"],
    [403, "<html>blocked</html>", "refused 4 edge_blocked"],
    [403, error("no"), "refused 4 forbidden"],
    [403, error("no", "policy_denied"), "refused 5 policy_denied"],
    [403, error("no", {}), "refused 4 forbidden"],
    [404, "", "refused 10 server_unsupported"],
    [405, "", "refused 10 server_unsupported"],
    [408, "", "ambiguous 12 deadline_passed"],
    [409, error("conflicts with an active fleet rollout; retry after"), "conflict 11 conflict_persisted"],
    [409, error("no", "older_build"), "overtaken 5 policy_denied"],
    [409, error("no", "vetoed"), "refused 5 policy_denied"],
    [409, error("no", "held"), "refused 5 policy_denied"],
    [409, error("no", "frozen"), "refused 5 policy_denied"],
    [409, error("no", ["vetoed", {}]), "conflict 11 conflict_persisted"],
    [409, "", "conflict 11 conflict_persisted"],
    [410, "", "refused 9 request_rejected"],
    [412, "", "overtaken 11 previous_differs"],
    [413, "", "refused 9 request_rejected"],
    [415, "", "refused 10 server_unsupported"],
    [422, error("notes must be <= 500 chars"), "refused 9 request_rejected"],
    [425, "", "try_again 13 rate_limited"],
    [428, "", "condition_wanted 10 server_unsupported"],
    [429, "", "try_again 13 rate_limited"],
    [451, "", "refused 9 request_rejected"],
    [499, "", "refused 9 request_rejected"],

    [500, "", "ambiguous 13 server_failed"],
    [501, "", "ambiguous 13 server_failed"],
    [502, "", "ambiguous 13 server_failed"],
    [503, "", "ambiguous 13 server_failed"],
    [503, error("runtime-image promotion unavailable: no database wired"), "refused 13 server_failed"],
    [500, error("no database wired"), "ambiguous 13 server_failed"],
    [504, "", "ambiguous 13 server_failed"],
    [520, "<html>", "ambiguous 13 server_failed"],
    [527, "<html>", "ambiguous 13 server_failed"],
    [599, "", "ambiguous 13 server_failed"],
    [999, "", "ambiguous 13 server_failed"],
  ];
  test.each(rows)("%i %s: %s", (status, body, wanted) => {
    expect(shown(write(status, body))).toBe(wanted);
  });

  test("keeps what the server said, inert and cut", () => {
    const body = `::stop-commands::a\n##[error]${"x".repeat(600)}`;
    for (const answer of [write(400, body), write(409, body), write(500, body)]) {
      if (answer.kind === "accepted") throw new Error("accepted");
      expect(answer.failure.serverText).toMatch(/^: ?: ?stop-commands::a # #\[error\]x+…$/u);
    }
    const read = classifyRead(heard(500, body));
    expect(read?.serverText).toMatch(/^: ?: ?stop-commands::a # #\[error\]x+…$/u);
  });

  const stopped: [string, string, string][] = [
    ["with its reason, inert", error("veto by ::alice", "vetoed"), ": veto by : ?:alice"],
    ["without a reason", JSON.stringify({ code: "vetoed" }), ""],
    ["with a reason that is no text", JSON.stringify({ code: "vetoed", error: 7 }), ""],
  ];
  test.each(stopped)("tells of a policy %s", (_what, body, reason) => {
    const message = new RegExp(`^the control plane refused the promotion${reason}$`, "u");
    for (const status of [403, 409]) {
      expect(write(status, body)).toMatchObject({ failure: { message: expect.stringMatching(message) } });
    }
  });

  test("has no server text when the server said nothing", () => {
    const answer = write(400, " \n");
    expect(answer).toMatchObject({ failure: { serverText: undefined } });
  });
});

describe("the status of a read", () => {
  test("200 leaves the verdict to the body", () => {
    expect(classifyRead(heard(200))).toBeNull();
  });

  const rows: [number, FailureCode, boolean][] = [
    [99, "answer_unexpected", false],
    [101, "answer_unexpected", false],
    [201, "answer_unexpected", false],
    [202, "answer_unexpected", false],
    [203, "answer_unexpected", false],
    [204, "answer_unexpected", false],
    [206, "answer_unexpected", false],
    [226, "answer_unexpected", false],
    [299, "answer_unexpected", false],
    [300, "redirect_refused", false],
    [301, "redirect_refused", false],
    [302, "redirect_refused", false],
    [304, "answer_unexpected", false],
    [308, "redirect_refused", false],
    [399, "redirect_refused", false],
    [400, "answer_unexpected", false],
    [401, "unauthorized", false],
    [403, "forbidden", false],
    [404, "answer_unexpected", false],
    [405, "answer_unexpected", false],
    [408, "deadline_passed", true],
    [409, "answer_unexpected", false],
    [425, "rate_limited", true],
    [429, "rate_limited", true],
    [499, "answer_unexpected", false],
    [500, "server_failed", true],
    [502, "server_failed", true],
    [503, "server_failed", true],
    [599, "server_failed", true],
    [999, "server_failed", true],
  ];
  test.each(rows)("%i is %s; read again: %p", (status, code, again) => {
    const failure = classifyRead(heard(status, "why"));
    expect(failure?.code).toBe(code);
    expect(failure?.serverText).toBe("why");
    expect(failure !== null && mayReadAgain(failure)).toBe(again);
  });
});

describe("a read that somebody stands before", () => {
  test("a page with a 403 is not the control plane's own refusal", () => {
    expect(classifyRead(heard(403, "<html>blocked"))?.code).toBe("edge_blocked");
  });

  test("a 404 says that there is no such route", () => {
    expect(classifyRead(heard(404, ""))?.message).toBe("the pin listing answered 404: no such route");
    expect(classifyRead(heard(404, "<html>"))?.message).toBe(
      "the pin listing answered 404 with a page: no such route",
    );
  });

  const fit: [string, Record<string, string>, FailureCode | null][] = [
    ["plain", { "content-encoding": "identity" }, null],
    ["plain in capitals", { "content-encoding": "IDENTITY" }, null],
    ["compressed", { "content-encoding": "gzip" }, "answer_malformed"],
    ["compressed, then plain", { "content-encoding": "gzip, identity" }, "answer_malformed"],
    ["plain, then compressed", { "content-encoding": "identity, gzip" }, "answer_malformed"],
    ["of no age", { age: "0" }, null],
    ["of no age, spelled out", { age: "000" }, null],
    ["of an age that is empty", { age: "" }, null],
    ["a second old", { age: "1" }, "answer_cached"],
    ["ten seconds old", { age: "10" }, "answer_cached"],
    ["a second old, padded", { age: "01" }, "answer_cached"],
    ["of an age that is no number", { age: "x" }, "answer_cached"],
  ];
  test.each(fit)("an answer that is %s", (_what, headers, wanted) => {
    expect(classifyRead(heard(200, "", headers))?.code ?? null).toBe(wanted);
  });
});

describe("a listing that is not there", () => {
  const listing = new Failure("answer_unexpected", "404");
  const rows: [number | null, FailureCode][] = [
    [null, "answer_unexpected"],
    [404, "wrong_base_url"],
    [405, "server_unsupported"],
    [200, "server_unsupported"],
    [401, "server_unsupported"],
  ];
  test.each(rows)("and the route beside it answers %p: %s", (sibling, code) => {
    expect(classifyAbsentListing(listing, sibling).code).toBe(code);
  });
});

describe("a redirect", () => {
  test("is shown by its origin alone", () => {
    const headers = { location: "https://evil.example:8443/path?token=x#y" };
    const failure = classifyRead(heard(302, "", headers));
    expect(failure?.message).toBe(
      "the pin listing answered 302: redirects are not followed (to https://evil.example:8443)",
    );
    expect(classifyWrite(heard(307, "", headers), WANTED)).toMatchObject({
      failure: { message: expect.stringContaining("(to https://evil.example:8443)") },
    });
  });

  test.each(["/path", "javascript:alert(1)", "", "//x"])("to %j says no more", (location) => {
    expect(classifyRead(heard(302, "", { location }))?.message).toEndWith("are not followed");
  });
});

describe("a page", () => {
  test.each(["<!doctype html><p>::stop-commands::x", "  <html>", "\ufeff<html>"])(
    "%j is not shown",
    (body) => {
      const answers = [write(520, body), write(403, body), write(404, body)];
      for (const answer of answers) {
        expect(answer).toMatchObject({ failure: { serverText: undefined } });
        if (answer.kind !== "accepted") expect(answer.failure.message).toContain("with a page");
      }
      expect(classifyRead(heard(502, body))).toMatchObject({ serverText: undefined });
    },
  );
});

test("only what may pass by itself is read again", () => {
  const again = failureCodes().filter((code) => mayReadAgain(new Failure(code, "")));
  expect(again.sort()).toEqual([
    "answer_cached",
    "answer_empty",
    "answer_not_json",
    "connection_failed",
    "connection_lost",
    "deadline_passed",
    "name_not_resolved",
    "rate_limited",
    "row_missing",
    "server_failed",
  ]);
});
