import { describe, expect, test } from "bun:test";
import { presign } from "../../src/stores/s3-presign.ts";

/** The example of the AWS documentation, "Authenticating Requests: Using Query Parameters". */
const CREDENTIALS = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  sessionToken: undefined,
};
const TIME = new Date("2013-05-24T00:00:00Z");

describe("a presigned URL", () => {
  test("has the signature that AWS computes", () => {
    const url = new URL("https://examplebucket.s3.amazonaws.com/test.txt");
    const signed = presign("GET", url, "us-east-1", CREDENTIALS, TIME, 86_400);
    expect(signed.searchParams.get("X-Amz-Signature")).toBe(
      "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    );
  });
  test("is another one for each part of the request", () => {
    const sign = (path: string, region = "us-east-1", time = TIME): string | null =>
      presign("GET", new URL(`https://h.example${path}`), region, CREDENTIALS, time).searchParams.get(
        "X-Amz-Signature",
      );
    const all = [sign("/a"), sign("/b"), sign("/a", "eu-west-1"), sign("/a", "us-east-1", new Date(0))];
    expect(new Set(all).size).toBe(4);
  });
});
