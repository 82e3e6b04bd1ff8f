import { expect, test } from "bun:test";
import { readHandshake, type Listening } from "../../../src/addons/supervision/handshake.ts";

const long = (length: number): string => `/${"s".repeat(length - 1)}`;

test.each<[string, Listening]>([
  ["1|1|unix|/tmp/p.sock|grpc", { path: "/tmp/p.sock" }],
  ["1|1|unix|/tmp/p.sock", { path: "/tmp/p.sock" }],
  ["1|1|unix|/tmp/p.sock|", { path: "/tmp/p.sock" }],
  [" 1|1|unix|/tmp/p.sock|grpc\r\n", { path: "/tmp/p.sock" }],
  ["1|1|unix|/tmp/p.sock\n", { path: "/tmp/p.sock" }],
  ["1|5|tcp|127.0.0.1:1234|netrpc", { host: "127.0.0.1", port: 1_234 }],
  ["1|5|tcp|localhost:1", { host: "127.0.0.1", port: 1 }],
  ["9999|9999|tcp|[::1]:65535|grpc", { host: "::1", port: 65_535 }],
  ["1|1|unix|/tmp/p.sock|grpc|MIIB", { path: "/tmp/p.sock" }],
  ["1|1|unix|/tmp/p.sock|grpc|MIIB|true", { path: "/tmp/p.sock" }],
  [`1|1|unix|${long(107)}|grpc`, { path: long(107) }],
])("the handshake %p is %p", (line, listening) => {
  expect(readHandshake(line)).toEqual(listening);
});

test.each([
  ["a relative path", "1|1|unix|relative|grpc"],
  ["a path that ends like an absolute one", "1|1|unix|relative/|grpc"],
  ["a path that no socket can have", `1|1|unix|${long(108)}|grpc`],
  ["another machine", "1|1|tcp|10.0.0.1:1234|grpc"],
  ["another machine before this one", "1|1|tcp|example.com.127.0.0.1:1234|grpc"],
  ["more behind the port", "1|1|tcp|127.0.0.1:1234.example.com|grpc"],
  ["no port", "1|1|tcp|127.0.0.1|grpc"],
  ["port 0", "1|1|tcp|127.0.0.1:0|grpc"],
  ["a port too high", "1|1|tcp|127.0.0.1:65536|grpc"],
  ["another network", "1|1|pipe|/x|grpc"],
  ["another network on this machine", "1|1|udp|127.0.0.1:1234|grpc"],
  ["another protocol", "1|1|unix|/tmp/p.sock|http"],
  ["three parts", "1|1|unix"],
  ["eight parts", "1|1|unix|/tmp/p.sock|grpc|a|b|c"],
  ["other text", "hello"],
  ["nothing", ""],
  ["a version that is no number", "x|1|unix|/tmp/p.sock|grpc"],
  ["a version that begins like a number", "1x|1|unix|/tmp/p.sock|grpc"],
  ["a version that ends like a number", "x1|1|unix|/tmp/p.sock|grpc"],
  ["an application that begins like a number", "1|1x|unix|/tmp/p.sock|grpc"],
  ["an application that ends like a number", "1|x1|unix|/tmp/p.sock|grpc"],
  ["no application", "1||unix|/tmp/p.sock|grpc"],
])("with %s it is none", (_what, line) => {
  expect(readHandshake(line)).toBeNull();
});
