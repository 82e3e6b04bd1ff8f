import { describe, expect, test } from "bun:test";
import { parseTargetConfig } from "../../src/pins/target-config.ts";
import { refused } from "./refused.ts";

function parse(text: string): ReturnType<typeof parseTargetConfig> {
  return parseTargetConfig(new TextEncoder().encode(text), "targets.json");
}

test("environments by name, with every member", () => {
  const prod = { url: "https://cp.example.com", token_env: "A", read_token_env: "C", allow_link_local: true };
  const staging = { url: "https://s.example.com", token_file: "b" };
  const config = parse(JSON.stringify({ environments: { prod, staging } }));
  expect([...config]).toEqual([
    ["prod", prod],
    ["staging", staging],
  ]);
});

test("none at all is a configuration; who uses it decides", () => {
  expect(parse('{"environments":{}}').size).toBe(0);
});

describe("refused", () => {
  const rows: [string, string, string][] = [
    ["nothing", "", "the text ends early"],
    ["YAML", "environments:\n  prod: 1\n", "no JSON value"],
    ["a comment", '{"environments":{} /* x */}', "not the JSON we take"],
    ["a list", "[]", "the document is a list"],
    ["no environments", "{}", "environments is missing"],
    ["environments as a list", '{"environments":[]}', "environments is a list"],
    ["a member that is not known", '{"environments":{},"targets":{}}', "targets is not a known member"],
    [
      "an environment that is text",
      '{"environments":{"prod":"https://a"}}',
      'environments["prod"] is "https://a"',
    ],
    ["no URL", '{"environments":{"prod":{}}}', 'environments["prod"].url is missing'],
    ["a URL that is a number", '{"environments":{"prod":{"url":7}}}', "url is 7; wanted a string"],
    [
      "a token written down",
      '{"environments":{"prod":{"url":"https://a","token":"x"}}}',
      "token is not a known member",
    ],
    [
      "a misspelt member",
      '{"environments":{"prod":{"url":"https://a","tokenEnv":"x"}}}',
      "tokenEnv is not a known member",
    ],
    [
      "two places for one token",
      '{"environments":{"prod":{"url":"https://a","token_env":"A","token_file":"b"}}}',
      'environments["prod"] has a token_env and a token_file; wanted one of them',
    ],
    [
      "a variable that is null",
      '{"environments":{"prod":{"url":"https://a","token_env":null}}}',
      "token_env is null",
    ],
    [
      "an environment twice",
      '{"environments":{"prod":{"url":"https://a"},"prod":{"url":"https://b"}}}',
      'a second member "prod"',
    ],
    [
      "a URL twice",
      '{"environments":{"prod":{"url":"https://a","url":"https://b"}}}',
      'a second member "url"',
    ],
    [
      "a name that is none",
      '{"environments":{"Prod EU":{"url":"https://a"}}}',
      'environments["Prod EU"] is no name of an environment',
    ],
    [
      "a name that a runner obeys",
      '{"environments":{"x\\n::stop-commands::y":{"url":"https://a"}}}',
      'environments["x : :stop-commands::y"]',
    ],
  ];
  test.each(rows)("%s", (_what, text, part) => {
    const failure = refused(() => parse(text));
    expect(failure.code).toBe("config_invalid");
    expect(failure.message).toContain(part);
    expect(failure.message).toContain("targets.json");
  });

  test("with every fault at once", () => {
    const { message } = refused(() => parse('{"environments":{"a":{},"b":{"url":1,"x":2}},"y":3}'));
    expect(message.split("; ").length).toBeGreaterThanOrEqual(4);
  });
});
