// Which accounts, regions, services and buckets a request acts in without naming them.

import { describe, expect, test } from "bun:test";
import type { Classification } from "../../../src/model/classification.ts";
import type { Header } from "../../../src/model/request.ts";
import { awsClassifier } from "../../../src/protocols/aws/classify.ts";
import { requestOf } from "../request-of.ts";

/** An access key that spells its account, and one of the years before. */
const NEW_KEY = "ASIAQNZGKIQY56JQ7WML";
const OLD_KEY = "AKIAIOSFODNN7EXAMPLE";

function signed(key: string, service: string, region: string): Header {
  return [
    "Authorization",
    `AWS4-HMAC-SHA256 Credential=${key}/20260101/${region}/${service}/aws4_request, Signature=0`,
  ];
}

function classify(line: string, ...headers: readonly Header[]): Classification {
  return awsClassifier.classify(requestOf(line, { headers }));
}

describe("unnamed scopes of a request", () => {
  const rows: readonly (readonly [line: string, headers: readonly Header[], unnamed: string])[] = [
    ["GET https://acme.s3.us-east-1.amazonaws.com/k", [signed(NEW_KEY, "s3", "us-east-1")], ""],
    ["GET https://acme.s3.us-east-1.amazonaws.com/k", [signed(OLD_KEY, "s3", "us-east-1")], "account"],
    ["GET https://acme.s3.amazonaws.com/k", [], "account region"],
    [
      "GET https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
      [signed(NEW_KEY, "iam", "us-east-1")],
      "",
    ],
    [
      "GET https://ap-111122223333.s3-accesspoint.us-east-1.amazonaws.com/k",
      [signed(NEW_KEY, "s3", "us-east-1")],
      "bucket",
    ],
    [
      "GET https://s3.us-east-1.amazonaws.com/arn%3Aaws%3As3%3Aus-east-1%3A111122223333%3Aaccesspoint%2Fap/k",
      [signed(NEW_KEY, "s3", "us-east-1")],
      "bucket",
    ],
    [
      "GET https://ap-abc-s3alias.s3.us-east-1.amazonaws.com/k",
      [signed(NEW_KEY, "s3", "us-east-1")],
      "bucket",
    ],
    ["DELETE https://m.mrap.accesspoint.s3-global.amazonaws.com/k", [], "bucket account region"],
    [
      "DELETE https://111122223333.s3-control.us-east-1.amazonaws.com/v20180820/configuration/publicAccessBlock",
      [],
      "bucket",
    ],
    ["GET https://s3.us-east-1.amazonaws.com/", [signed(NEW_KEY, "s3", "us-east-1")], ""],
    ["GET https://111122223333.dkr.ecr.us-east-1.amazonaws.com/v2/", [], ""],
    ["POST https://abc.execute-api.us-east-1.amazonaws.com/prod", [], "account"],
  ];
  for (const [line, headers, unnamed] of rows)
    test(`${line}: ${unnamed || "none"}`, () =>
      expect(classify(line, ...headers).unnamedScopes?.join(" ") ?? "").toBe(unnamed));
});

describe("a copy is judged as a read of what it copies, too", () => {
  const put = "PUT https://acme.s3.us-east-1.amazonaws.com/k";
  const copy = (source: string, ...more: readonly Header[]) =>
    classify(put, signed(NEW_KEY, "s3", "us-east-1"), ["x-amz-copy-source", source], ...more);

  test("from another bucket", () => {
    for (const source of ["secret/k", "/secret/k?versionId=1", "secret%2Fk", "%2Fsecret%2Fk"]) {
      const { tier, command, labels, parts } = copy(source);
      expect([tier, command, labels.bucket]).toEqual(["modify", "s3api copy-object", "acme"]);
      expect(parts?.map((part) => [part.command, part.tier, part.labels.bucket])).toEqual([
        ["s3api copy-object", "modify", "acme"],
        ["s3api get-object", "observe", "secret"],
      ]);
    }
  });

  test("but not from its own bucket", () => {
    expect(copy("acme/other")).not.toHaveProperty("parts");
    expect(copy("acme/other").unnamedScopes).toBeUndefined();
  });

  test("from a bucket that cannot be told", () => {
    for (const source of ["arn:aws:s3:us-east-1:111122223333:accesspoint/ap/object/k", "%zz", "k"])
      expect(copy(source).unnamedScopes).toEqual(["bucket"]);
    expect(copy("a/k", ["X-Amz-Copy-Source", "b/k"]).unnamedScopes).toEqual(["bucket"]);
  });

  test("and what opens the copy to others stays break-glass, part by part", () => {
    const { tier, parts } = copy("secret/k", ["x-amz-acl", "public-read"]);
    expect([tier, parts?.map((part) => part.tier)]).toEqual(["break-glass", ["break-glass", "observe"]]);
  });
});

test("what is asked of an application by another method is in the same scopes", () => {
  const line = "POST https://111122223333.dkr.ecr.us-east-1.amazonaws.com/v2/x";
  const { labels, parts } = classify(line, ["X-HTTP-Method-Override", "DELETE"]);
  expect(labels).toEqual({ account: "111122223333", region: "us-east-1", service: "ecr" });
  expect(parts?.map((part) => part.labels)).toEqual([labels, labels]);
});
