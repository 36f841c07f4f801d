// Which requests come from the same credential, by their fields alone.

import { expect, test } from "bun:test";
import { credentialOf } from "../../../src/gateway/request/fingerprint.ts";
import type { Header } from "../../../src/model/request.ts";

const signed = (key: string, signature: string): Header => [
  "Authorization",
  `AWS4-HMAC-SHA256 Credential=${key}/20240101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=${signature}`,
];

const of = (...headers: readonly Header[]) =>
  credentialOf("aws", { method: "GET", host: "s3.amazonaws.com", port: 443, target: "/", headers }, "");

test("a signature is its key, and a second credential beside it is another asker", () => {
  expect(of(signed("AKIA1", "00"))).toBe(of(signed("AKIA1", "01")));
  expect(of(signed("AKIA1", "00"), signed("AKIA2", "00"))).not.toBe(of(signed("AKIA1", "00")));
  expect(of(signed("AKIA1", "00"), ["Authorization", "Bearer b"])).not.toBe(of(signed("AKIA1", "00")));
});

test("the hash of a schema that kubectl reads is no credential; anywhere else a hash may be one", () => {
  const at = (target: string, protocol: "kubectl" | "generic" = "kubectl") => {
    const headers: Header[] = [["Authorization", "Bearer t"]];
    return credentialOf(protocol, { method: "GET", host: "h", port: 443, target, headers }, "");
  };
  const plain = at("/version");
  expect(at("/openapi/v3/api/v1?hash=1F&timeout=32s")).toBe(plain);
  for (const other of [
    at("/openapi/v3/api/v1?token=1F"),
    at("/api/v1/pods?hash=1F"),
    at("/openapi/v3/x?hash=1", "generic"),
  ])
    expect(other).not.toBe(plain);
});
