import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import { parseEndpoint, type EndpointPolicy } from "../../src/host/endpoint.ts";

const ORIGIN: EndpointPolicy = { from: "--target", allowInsecureHttp: false, path: "none" };

function endpoint(text: string, policy: Partial<EndpointPolicy> = {}): string {
  return parseEndpoint(text, { ...ORIGIN, ...policy }).href;
}

function refusal(text: string, policy: Partial<EndpointPolicy> = {}): Failure {
  try {
    parseEndpoint(text, { ...ORIGIN, ...policy });
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error(`${text} was taken`);
}

describe("taken", () => {
  const taken: [string, Partial<EndpointPolicy>, string][] = [
    ["https://cp.example", {}, "https://cp.example/"],
    ["https://cp.example/", {}, "https://cp.example/"],
    ["HTTPS://CP.Example", {}, "https://cp.example/"],
    ["https://cp.example:443", {}, "https://cp.example/"],
    ["https://cp.example:8443", {}, "https://cp.example:8443/"],
    ["https://192.0.2.1", {}, "https://192.0.2.1/"],
    ["https://[2001:db8::1]:7070", {}, "https://[2001:db8::1]:7070/"],
    ["https://xn--bcher-kva.example", {}, "https://xn--bcher-kva.example/"],
    ["https://169.254.1.1", { linkLocal: "allowed" }, "https://169.254.1.1/"],
    ["https://169.254.example.com", {}, "https://169.254.example.com/"],
    ["https://169.253.1.1", {}, "https://169.253.1.1/"],
    ["https://[fec0::1]", {}, "https://[fec0::1]/"],
    ["https://[fd00:ec2::253]", {}, "https://[fd00:ec2::253]/"],
    ["https://cp.example/a/b", { path: "allowed" }, "https://cp.example/a/b"],
    ["https://cp.example/a?b=c", { path: "allowed", query: "allowed" }, "https://cp.example/a?b=c"],
    ["http://127.0.0.1:7070", { allowInsecureHttp: true }, "http://127.0.0.1:7070/"],
    ["http://127.9.9.9", { allowInsecureHttp: true }, "http://127.9.9.9/"],
    ["http://localhost", { allowInsecureHttp: true }, "http://localhost/"],
    ["http://[::1]:80", { allowInsecureHttp: true }, "http://[::1]/"],
  ];
  test.each(taken)("%s %j", (text, policy, href) => {
    expect(endpoint(text, policy)).toBe(href);
  });
});

describe("refused: the host is not what it seems", () => {
  const refused: [string, string][] = [
    ["a user", "https://cp.example@evil.example"],
    ["a user and a password", "https://user:hunter2@cp.example"],
    ["an empty user", "https://@cp.example"],
    ["an at sign in the path", "https://cp.example/@evil.example"],
    ["a backslash", "https://evil.example\\@cp.example"],
    ["a backslash for a slash", "https:\\\\cp.example"],
    ["a tab", "https://cp.exam\tple"],
    ["a line break", "https://cp.example\n.evil.example"],
    ["a line break at the end", "https://cp.example\n"],
    ["a space before", " https://cp.example"],
    ["a NUL", "https://cp.example\u0000"],
    ["full-width dots", "https://cp。example"],
    ["full-width letters", "https://ｃｐ.example"],
    ["a full-width slash", "https://cp.example／evil"],
    ["letters beyond ASCII", "https://bücher.example"],
    ["a soft hyphen", "https://cp\u00ad.example"],
    ["an escaped letter", "https://cp.%65xample"],
    ["an escaped dot", "https://cp%2eexample"],
    ["a short address", "https://127.1"],
    ["a number for an address", "https://2130706433"],
    ["an octal address", "https://0177.0.0.1"],
    ["a hexadecimal address", "https://0x7f.0.0.1"],
    ["a long IPv6 address", "https://[0:0:0:0:0:0:0:1]"],
    ["an IPv6 address with an IPv4 end", "https://[::ffff:127.0.0.1]"],
    ["an IPv6 address without brackets", "https://::1"],
    ["an IPv6 zone", "https://[fe80::1%25eth0]"],
    ["an open bracket", "https://[::1"],
    ["a scheme twice", "https://https://cp.example"],
    ["one slash", "https:/cp.example"],
    ["no slash", "https:cp.example"],
    ["three slashes", "https:///cp.example"],
    ["no host", "https://"],
    ["a port alone", "https://:443"],
    ["an empty port", "https://cp.example:"],
    ["a port with zeros before", "https://cp.example:08443"],
    ["a user with a port for a password", "http://cp.example:443@x"],
    ["a port that does not exist", "https://cp.example:65536"],
    ["a port that is no number", "https://cp.example:https"],
  ];
  test.each(refused)("%s: %j", (_what, text) => {
    const failure = refusal(text, { path: "allowed", query: "allowed", allowInsecureHttp: true });
    expect(failure).toMatchObject({ code: "url_invalid", exitCode: 2 });
    expect(failure.message).toStartWith("--target is ");
    expect(failure.message).not.toMatch(/[\u0000-\u001f]|hunter2/u);
    expect(failure.hint).not.toBe("");
  });
});

describe("refused: it is not what a credential may go to", () => {
  const refused: [string, string, string][] = [
    ["nothing", "", 'is "", which is no plain URL'],
    ["a host without a scheme", "cp.example", 'is "cp.example", which is no plain URL'],
    ["a host with a port", "cp.example:443", 'is "cp.example:443", neither https nor http'],
    ["another scheme", "ftp://cp.example", 'is "ftp://cp.example", neither https nor http'],
    ["a file", "file:///etc/passwd", 'is "file:///etc/passwd", neither https nor http'],
    ["a WebSocket", "wss://cp.example", 'is "wss://cp.example", neither https nor http'],
    [
      "plain http",
      "http://cp.example",
      'is "http://cp.example": http would show the credential to the network',
    ],
    [
      "plain http to this machine",
      "http://127.0.0.1:1",
      'is "http://127.0.0.1:1": http would show the credential to the network',
    ],
    ["a path", "https://cp.example/v1", 'is "https://cp.example/v1", which has a path'],
    ["a query", "https://cp.example?a=b", 'is "https://cp.example?a=b", which has a query'],
    ["an empty query", "https://cp.example/?", 'is "https://cp.example/?", which has a query'],
    ["a variable that was not expanded", "https://${HOST}", 'is "https://${HOST}", which is no plain URL'],
  ];
  test.each(refused)("%s", (_what, text, said) => {
    expect(refusal(text)).toMatchObject({ code: "url_invalid", message: `--target ${said}` });
  });

  test("a fragment", () => {
    for (const text of ["https://cp.example#a", "https://cp.example/#"]) {
      expect(refusal(text, { path: "allowed", query: "allowed" }).code).toBe("url_invalid");
    }
  });

  test.each([
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://evil.example/localhost",
    "http://128.0.0.1",
    "http://0.0.0.0",
    "http://[::]",
    "http://10.0.0.1",
  ])("%s is no loopback address", (text) => {
    const failure = refusal(text, { allowInsecureHttp: true, path: "allowed" });
    expect(failure).toMatchObject({ code: "url_invalid", hint: "use https" });
  });

  test("the hint knows a loopback address", () => {
    expect(refusal("http://[::1]:7070").hint).toBe("pass --allow-insecure-http for this loopback address");
  });
});

describe("refused: where machines get their credentials, or only the same wire leads", () => {
  const refused = [
    "https://169.254.169.254",
    "https://169.254.0.1:8443",
    "https://[fe80::1]",
    "https://[febf:ffff::1]",
    "https://[::ffff:a9fe:a9fe]",
    "https://[64:ff9b::a9fe:a9fe]",
    "https://[fd00:ec2::254]",
    "https://[fd20:ce::254]",
    "https://100.100.100.200",
    "https://168.63.129.16",
    "https://metadata.google.internal",
    "https://METADATA.google.internal",
    "http://169.254.169.254",
  ];
  test.each(refused)("%s", (text) => {
    const failure = refusal(text, { allowInsecureHttp: true });
    expect(failure.code).toBe("url_invalid");
    expect(failure.message).toContain("link-local");
  });

  test.each([
    ["an address in other digits", "https://0xa9fea9fe"],
    ["an address as a number", "https://2852039166"],
    ["an IPv4 address within IPv6, as it is not written canonically", "https://[::ffff:169.254.169.254]"],
    ["a dot at the end", "https://169.254.169.254."],
  ])("%s is no way around it", (_what, text) => {
    expect(refusal(text).code).toBe("url_invalid");
  });
});
