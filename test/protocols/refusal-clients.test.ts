import { describe, expect, test } from "bun:test";
import type { Protocol } from "../../src/model/protocol.ts";
import type { Header, RequestHead } from "../../src/model/request.ts";
import { refusalMessage, renderRefusal } from "../../src/protocols/refusal.ts";
import type { Refusal } from "../../src/protocols/refused.ts";

const refused: Refusal = {
  status: 403,
  outcome: "refused",
  tier: "sensitive",
  command: "a <b> & c",
  rule: "aws.rules.deny.groups[0]",
  reason: "the policy denies it",
  retry: false,
};

const MESSAGE = refusalMessage(refused);

function reply(protocol: Protocol, url: string, headers: readonly Header[] = [], refusal = refused) {
  const { host, pathname, search } = new URL(url);
  const request: RequestHead = { method: "POST", host, port: 443, target: pathname + search, headers };
  const rendered = renderRefusal(protocol, refusal, request);
  const field = (name: string) => rendered.headers.find(([key]) => key === name)?.[1];
  return { ...rendered, text: new TextDecoder().decode(rendered.body), field };
}

const FORM: readonly Header[] = [["Content-Type", "application/x-www-form-urlencoded; charset=utf-8"]];
const signedFor = (scope: string): readonly Header[] => [
  [
    "Authorization",
    `AWS4-HMAC-SHA256 Credential=AKID/20260102/${scope}/aws4_request, SignedHeaders=host, Signature=0a`,
  ],
];
const ESCAPED = MESSAGE.replace("a <b> & c", "a &lt;b&gt; &amp; c").replaceAll("'", "&apos;");

describe("aws is told in the protocol of its request:", () => {
  const table: readonly (readonly [
    name: string,
    url: string,
    headers: readonly Header[],
    type: string,
    has: string,
  ])[] = [
    [
      "the query protocol",
      "https://iam.amazonaws.com/",
      FORM,
      "text/xml",
      "<ErrorResponse><Error><Type>Sender",
    ],
    [
      "a query in the URL",
      "https://sts.amazonaws.com/?Version=1&Action=GetCallerIdentity",
      [],
      "text/xml",
      "<Code>AccessDenied</Code>",
    ],
    [
      "EC2's own form of it",
      "https://ec2.us-east-1.amazonaws.com/",
      FORM,
      "text/xml",
      "<Response><Errors><Error><Code>UnauthorizedOperation</Code>",
    ],
    ["S3 by path", "https://s3.eu-west-1.amazonaws.com/b/k", [], "text/xml", "?>\n<Error><Code>AccessDenied"],
    ["S3 by host", "https://acme.s3.amazonaws.com/k", [], "text/xml", "?>\n<Error><Code>AccessDenied"],
    ["S3 Express", "https://b.s3express-use1-az4.us-east-1.amazonaws.com/k", [], "text/xml", "?>\n<Error>"],
    ["S3 dual-stack", "https://b.s3.dualstack.us-east-1.amazonaws.com/k", [], "text/xml", "?>\n<Error>"],
    [
      "S3 Control",
      "https://1.s3-control.us-east-1.amazonaws.com/v20180820/jobs",
      [],
      "text/xml",
      "<ErrorResponse>",
    ],
    ["Route 53", "https://route53.amazonaws.com/2013-04-01/hostedzone", [], "text/xml", "<ErrorResponse>"],
    [
      "a store of the user's own, by what was signed",
      "https://minio.corp.example/b/k",
      signedFor("us-east-1/s3"),
      "text/xml",
      "?>\n<Error><Code>AccessDenied",
    ],
    [
      "a store of the user's own, by a presigned URL",
      "https://minio.corp.example/b/k?X-Amz-Credential=AKID%2F20260102%2Fus-east-1%2Fs3%2Faws4_request",
      [],
      "text/xml",
      "?>\n<Error>",
    ],
    [
      "a store, signed for all regions",
      "https://store.example/b/k",
      signedFor("s3"),
      "text/xml",
      "?>\n<Error>",
    ],
    [
      "an emulator's EC2",
      "https://localhost.example:4566/",
      [...FORM, ...signedFor("us-east-1/ec2")],
      "text/xml",
      "<Code>UnauthorizedOperation",
    ],
    [
      "an emulator's Route 53",
      "https://localhost.example:4566/2013-04-01/hostedzone",
      signedFor("us-east-1/route53"),
      "text/xml",
      "<ErrorResponse>",
    ],
    [
      "an emulator's Lambda",
      "https://localhost.example:4566/2015-03-31/functions",
      signedFor("us-east-1/lambda"),
      "application/json",
      '"message":"',
    ],
    [
      "S3 Tables, which speaks JSON",
      "https://s3tables.us-east-1.amazonaws.com/buckets",
      signedFor("us-east-1/s3tables"),
      "application/json",
      '"message":"',
    ],
    [
      "JSON by target",
      "https://dynamodb.us-east-1.amazonaws.com/",
      [["X-Amz-Target", "DynamoDB_20120810.Scan"]],
      "application/x-amz-json-1.1",
      '{"__type":"AccessDeniedException","message":"',
    ],
    [
      "REST with JSON",
      "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions",
      [],
      "application/json",
      '"message":"',
    ],
    [
      "Smithy's CBOR",
      "https://monitoring.us-east-1.amazonaws.com/service/G/operation/ListMetrics",
      [["Smithy-Protocol", "rpc-v2-cbor"]],
      "application/cbor",
      "AccessDeniedException",
    ],
  ];
  for (const [name, url, headers, type, has] of table)
    test(name, () => {
      const { text, field, status } = reply("aws", url, headers);
      expect(status).toBe(403);
      expect(field("content-type")).toBe(type);
      expect(text).toContain(has);
      expect(text).toContain(type === "text/xml" ? ESCAPED : MESSAGE);
      expect(field("x-amzn-errortype")).toBe(
        type.endsWith("json") || type.endsWith("1.1") ? "AccessDeniedException" : undefined,
      );
    });

  test("CBOR is one map of two texts, marked as Smithy's", () => {
    const { body, field } = reply("aws", "https://monitoring.us-east-1.amazonaws.com/service/G/operation/L", [
      ["smithy-protocol", "rpc-v2-cbor"],
    ]);
    expect(field("smithy-protocol")).toBe("rpc-v2-cbor");
    expect([...body.slice(0, 8)]).toEqual([0xa2, 0x66, ...new TextEncoder().encode("__type")]);
    const at = body.length - new TextEncoder().encode(MESSAGE).length;
    expect([...body.slice(at - 2, at)]).toEqual([0x78, MESSAGE.length]);
  });

  test("what the upstream did is not called a denial", () => {
    const { text } = reply("aws", "https://iam.amazonaws.com/", FORM, {
      ...refused,
      status: 502,
      outcome: "failed",
    });
    expect(text).toContain("<Code>BadGateway</Code>");
  });
});

describe("gcloud is told", () => {
  test("by a google.rpc error with an ErrorInfo", () => {
    const { text, status } = reply(
      "gcloud",
      "https://compute.googleapis.com/compute/v1/projects/p/zones/z/instances/i",
    );
    expect(status).toBe(403);
    expect(JSON.parse(text)).toEqual({
      error: {
        code: 403,
        message: MESSAGE,
        errors: [{ message: MESSAGE, domain: "iddio", reason: "forbidden" }],
        status: "PERMISSION_DENIED",
        details: [
          {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            reason: "IDDIO_REFUSED",
            domain: "iddio",
            metadata: {
              tier: "sensitive",
              command: "a <b> & c",
              rule: "aws.rules.deny.groups[0]",
              retry: "false",
            },
          },
        ],
      },
    });
  });

  test("by an OAuth error at the token endpoint", () => {
    const { text } = reply("gcloud", "https://oauth2.googleapis.com/token", FORM);
    expect(JSON.parse(text)).toEqual({ error: "access_denied", error_description: MESSAGE });
  });

  test("by XML where Cloud Storage speaks XML, by JSON where it does not", () => {
    expect(reply("gcloud", "https://storage.googleapis.com/bucket/object").text).toContain(
      `<Error><Code>AccessDenied</Code><Message>${ESCAPED}</Message></Error>`,
    );
    expect(reply("gcloud", "https://storage.googleapis.com/upload/storage/v1/b/x/o").text).toStartWith("{");
  });

  test("by a gRPC status in an answer without a body, percent-encoded", () => {
    const { status, field, body } = reply(
      "gcloud",
      "https://pubsub.googleapis.com/google.pubsub.v1.Publisher/Publish",
      [["content-type", "application/grpc+proto"]],
      { ...refused, reason: "50 % — nein" },
    );
    expect([status, body.length, field("content-type")]).toEqual([200, 0, "application/grpc"]);
    expect(field("grpc-status")).toBe("7");
    expect(field("grpc-message")).toContain("50 %25 %E2%80%94 nein");
  });
});

describe("cloudflare's clients are told", () => {
  test("by the envelope whose errors wrangler prints", () => {
    expect(JSON.parse(reply("cloudflare", "https://api.cloudflare.com/client/v4/zones").text)).toMatchObject({
      success: false,
      errors: [{ code: 403, message: MESSAGE }],
      messages: [],
      result: null,
    });
  });

  test("by errors[] for GraphQL", () => {
    expect(
      JSON.parse(reply("cloudflare", "https://api.cloudflare.com/client/v4/graphql").text),
    ).toMatchObject({
      data: null,
      errors: [{ message: MESSAGE, path: null }],
    });
  });
});

describe("fly's clients are told", () => {
  test("by errors[] for GraphQL and an error for the Machines API", () => {
    expect(JSON.parse(reply("fly", "https://api.fly.io/graphql").text)).toMatchObject({
      data: null,
      errors: [{ message: MESSAGE }],
    });
    expect(JSON.parse(reply("fly", "https://api.machines.dev/v1/apps/a/machines").text)).toMatchObject({
      error: MESSAGE,
    });
  });
});

describe("terraform is told", () => {
  test("by JSON:API errors where it asks for them, of which it prints title and detail", () => {
    const { text, field } = reply(
      "terraform",
      "https://app.terraform.io/api/v2/organizations/acme/workspaces",
      [["Accept", "application/vnd.api+json"]],
    );
    expect(field("content-type")).toBe("application/vnd.api+json");
    expect(JSON.parse(text)).toMatchObject({
      errors: [{ status: "403", title: "refused by iddio", detail: MESSAGE, meta: { tier: "sensitive" } }],
    });
  });

  test("in short JSON elsewhere", () => {
    const { text, field } = reply("terraform", "https://tfstate.example.com/prod");
    expect(field("content-type")).toBe("application/json");
    expect(JSON.parse(text)).toMatchObject({ error: MESSAGE, rule: refused.rule });
  });
});
