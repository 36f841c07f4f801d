import { describe, expect, test } from "bun:test";
import type { Header } from "../../../src/model/request.ts";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { awsCatalogue } from "../../../src/protocols/aws/catalogue.ts";
import { awsClassifier } from "../../../src/protocols/aws/classify.ts";
import { requestOf } from "../request-of.ts";

type Row = readonly [
  line: string,
  tier: TierOrUnknown,
  operation: string,
  bucket?: string,
  headers?: readonly Header[],
];

function check(rows: readonly Row[]): void {
  for (const [line, tier, operation, bucket, headers = []] of rows) {
    const answer = awsClassifier.classify(requestOf(line, { headers }));
    const command = operation === "" ? "" : `s3api ${operation}`;
    expect([line, answer.tier, answer.command, answer.labels.bucket]).toEqual([line, tier, command, bucket]);
  }
}

test("buckets and keys are found in every kind of host", () => {
  check([
    ["GET https://s3.amazonaws.com/", "observe", "list-buckets"],
    ["GET https://s3.eu-west-1.amazonaws.com/acme/k", "observe", "get-object", "acme"],
    ["GET https://s3-eu-west-1.amazonaws.com/acme/k", "observe", "get-object", "acme"],
    ["DELETE https://acme.s3.amazonaws.com/", "sensitive", "delete-bucket", "acme"],
    ["DELETE https://acme.prod.s3.eu-west-1.amazonaws.com/k", "sensitive", "delete-object", "acme.prod"],
    ["PUT https://acme.s3.dualstack.eu-west-1.amazonaws.com/k", "modify", "put-object", "acme"],
    ["PUT https://acme.s3-fips.us-gov-west-1.amazonaws.com/k", "modify", "put-object", "acme"],
    ["PUT https://acme.s3-accelerate.amazonaws.com/k", "modify", "put-object", "acme"],
    ["GET https://acme.s3.cn-north-1.amazonaws.com.cn/k", "observe", "get-object", "acme"],
    [
      "GET https://ap-111122223333.s3-accesspoint.us-west-2.amazonaws.com/k",
      "observe",
      "get-object",
      "ap-111122223333",
    ],
    ["GET https://m123.accesspoint.s3-global.amazonaws.com/k", "observe", "get-object", "m123"],
    [
      "GET https://acme--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com/k",
      "observe",
      "get-object",
      "acme--usw2-az1--x-s3",
    ],
    [
      "GET https://bucket.vpce-1a2b-5678.s3.us-east-1.vpce.amazonaws.com/acme/k",
      "observe",
      "get-object",
      "acme",
    ],
    [
      "GET https://acme.bucket.vpce-1a2b-5678.s3.us-east-1.vpce.amazonaws.com/k",
      "observe",
      "get-object",
      "acme",
    ],
  ]);
});

test("subresources and fields tell operations apart", () => {
  const copy: Header = ["x-amz-copy-source", "/from/key"];
  check([
    ["GET https://acme.s3.amazonaws.com/?acl", "observe", "get-bucket-acl", "acme"],
    ["PUT https://acme.s3.amazonaws.com/?policy", "break-glass", "put-bucket-policy", "acme"],
    ["PUT https://acme.s3.amazonaws.com/k?acl", "break-glass", "put-object-acl", "acme"],
    [
      "PUT https://acme.s3.amazonaws.com/?publicAccessBlock",
      "break-glass",
      "put-public-access-block",
      "acme",
    ],
    [
      "DELETE https://acme.s3.amazonaws.com/?publicAccessBlock",
      "break-glass",
      "delete-public-access-block",
      "acme",
    ],
    ["PUT https://acme.s3.amazonaws.com/?versioning", "modify", "put-bucket-versioning", "acme"],
    ["POST https://acme.s3.amazonaws.com/?delete", "sensitive", "delete-objects", "acme"],
    ["POST https://acme.s3.amazonaws.com/k?uploads", "modify", "create-multipart-upload", "acme"],
    ["PUT https://acme.s3.amazonaws.com/k?partNumber=1&uploadId=u", "modify", "upload-part", "acme"],
    ["PUT https://acme.s3.amazonaws.com/k", "modify", "copy-object", "acme", [copy]],
    ["DELETE https://acme.s3.amazonaws.com/k?uploadId=u", "modify", "abort-multipart-upload", "acme"],
    ["DELETE https://acme.s3.amazonaws.com/?uploadId=u", "sensitive", "delete-bucket", "acme"],
    ["DELETE https://acme.s3.amazonaws.com/k?uploadid=u", "sensitive", "delete-object", "acme"],
    ["GET https://acme.s3.amazonaws.com/?list-type=2&prefix=a", "observe", "list-objects-v2", "acme"],
    [
      "GET https://acme.s3.amazonaws.com/?analytics",
      "observe",
      "list-bucket-analytics-configurations",
      "acme",
    ],
    ["PUT https://acme.s3.amazonaws.com/k?x-id=PutObject", "modify", "put-object", "acme"],
  ]);
});

test("keys are opaque: words and slashes in them mean nothing", () => {
  check([
    ["GET https://acme.s3.amazonaws.com/delete/terminate/report.csv", "observe", "get-object", "acme"],
    ["PUT https://acme.s3.amazonaws.com/policy", "modify", "put-object", "acme"],
    ["GET https://s3.amazonaws.com/bk/a%20b/c%2Bd", "observe", "get-object", "bk"],
    ["GET https://s3.amazonaws.com/bk/x//y", "observe", "get-object", "bk"],
    ["GET https://s3.amazonaws.com/bk/../other/y", "observe", "get-object", "bk"],
    ["DELETE https://acme.s3.amazonaws.com//", "sensitive", "delete-object", "acme"],
  ]);
});

test("what S3 could take for something else is unknown", () => {
  check([
    ["PUT https://acme.s3.amazonaws.com/?frob", "unknown", "", "acme"],
    ["DELETE https://acme.s3.amazonaws.com/k?uploadId", "unknown", "", "acme"],
    ["DELETE https://acme.s3.amazonaws.com/k?uploadId=&x=1", "unknown", "", "acme"],
    ["PUT https://acme.s3.amazonaws.com/k?frob", "unknown", "", "acme"],
    ["PUT https://acme.s3.amazonaws.com/?acl&tagging", "unknown", "", "acme"],
    ["POST https://acme.s3.amazonaws.com/k", "unknown", "", "acme"],
    ["GET https://s3.amazonaws.com//k", "unknown", ""],
    ["GET https://s3.amazonaws.com/a%2Fb/k", "unknown", ""],
    ["GET https://s3.amazonaws.com/%2e%2e/k", "unknown", ""],
    ["PATCH https://acme.s3.amazonaws.com/k", "unknown", "", "acme"],
  ]);
});

test("an upload that opens access is as strict as the operation that does", () => {
  const line = "PUT https://acme.s3.amazonaws.com/k";
  check([
    [line, "break-glass", "put-object", "acme", [["x-amz-acl", "public-read"]]],
    [line, "break-glass", "put-object", "acme", [["X-Amz-Grant-Read", "id=x"]]],
    [line, "modify", "put-object", "acme", [["x-amz-acl", "bucket-owner-full-control"]]],
  ]);
});

describe("every operation of the model", () => {
  const api = awsCatalogue().byCli.get("s3api");
  // Told apart by a parameter or field, or former names of what has another one now.
  const apart =
    /^(?:UploadPart|UploadPartCopy|CopyObject|ListParts|CompleteMultipartUpload|AbortMultipartUpload|ListDirectoryBuckets|(?:Get|Put)BucketLifecycle|(?:Get|Put)BucketNotification|GetBucket(?:Analytics|IntelligentTiering|Inventory|Metrics)Configuration|WriteGetObjectResponse|\w*ObjectAnnotations?)$/;
  test("is found by its own request", () => {
    expect(api).toBeDefined();
    for (const [name, { bindings }] of api?.operations() ?? [])
      for (const binding of bindings) {
        if (apart.test(name)) continue;
        const path = binding.path.replace("{}", "acme").replace("{+}", "k");
        const line = `${binding.method} https://s3.us-east-1.amazonaws.com${path}`;
        expect([line, awsClassifier.classify(requestOf(line)).aliases]).toEqual([
          line,
          expect.arrayContaining([`s3:${name}`]),
        ]);
      }
  });
});

describe("an upload by an HTML form", () => {
  const form = (...fields: readonly (readonly [string, string])[]) =>
    `${fields.map(([name, value]) => `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`).join("")}--x--\r\n`;
  const rows: readonly (readonly [what: string, body: string | undefined, tier: string])[] = [
    ["a file", form(["key", "k"], ["file", "hello"]), "modify"],
    ["a private list", form(["key", "k"], ["acl", "private"]), "modify"],
    ["a public list", form(["key", "k"], ["acl", "public-read"], ["file", "x"]), "break-glass"],
    ["a grant", form(["key", "k"], ["x-amz-grant-read", "id=1"]), "break-glass"],
    ["an unread form", undefined, "unknown"],
  ];
  for (const [what, body, tier] of rows)
    test(what, () => {
      for (const url of [
        "https://acme.s3.us-east-1.amazonaws.com/",
        "https://s3.us-east-1.amazonaws.com/acme",
      ]) {
        const request = requestOf(`POST ${url}`, {
          headers: [["Content-Type", "multipart/form-data; boundary=x"]],
          ...(body === undefined ? { unread: true } : { body }),
        });
        expect(awsClassifier.needsBody(request)).toBe(true);
        const answer = awsClassifier.classify(request);
        expect([url, answer.tier, answer.labels.bucket]).toEqual([url, tier, "acme"]);
      }
    });
});

test("a field in the query is the field: presigned URLs carry them there", () => {
  check([
    ["PUT https://acme.s3.amazonaws.com/k?x-amz-acl=private", "modify", "put-object", "acme"],
    ["PUT https://acme.s3.amazonaws.com/k?x-amz-acl=public-read", "break-glass", "put-object", "acme"],
    ["PUT https://acme.s3.amazonaws.com/k?X-Amz-%41cl=public-read", "break-glass", "put-object", "acme"],
    ["PUT https://acme.s3.amazonaws.com/k?x-amz-grant-read=uri%3Dx", "break-glass", "put-object", "acme"],
  ]);
  // Whether S3 copies then, nobody says; so it is not certain which buckets it is about.
  const copy = awsClassifier.classify(
    requestOf("PUT https://acme.s3.amazonaws.com/k?x-amz-copy-source=%2Fsecret%2Fk"),
  );
  expect(copy.unnamedScopes).toContain("bucket");
});
