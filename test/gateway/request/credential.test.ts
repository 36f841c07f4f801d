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

test("a second access key in the query or in the field is another asker, and every try one of its own", () => {
  const at = (target: string, header: Header) =>
    credentialOf(
      "aws",
      { method: "GET", host: "s3.amazonaws.com", port: 443, target, headers: [header] },
      "",
    );
  const plain = at("/", signed("AKIA1", "00"));
  const twice = (signature: string): Header => {
    const [name, value] = signed("AKIA2", signature);
    return [
      name,
      value.replace("SignedHeaders", "x=Credential=AKIA1/20240101/us-east-1/s3/aws4_request, Signed"),
    ];
  };
  for (const other of [
    (signature: string) => at("/?X-Amz-Credential=AKIA2%2F20240101", signed("AKIA1", signature)),
    (signature: string) => at("/?X-Amz-%43redential=AKIA2%2F20240101", signed("AKIA1", signature)),
    (signature: string) => at("/", twice(signature)),
  ]) {
    expect(other("00")).not.toBe(plain);
    expect(other("00")).not.toBe(other("01"));
  }
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
