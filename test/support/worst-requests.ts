// Requests of the largest size that cost a classifier the most: for every protocol and every reader
// of bodies, lists, forms, documents, paths. Made of pieces repeated until the size is full; a
// fuzzer makes more of the same.

import type { Protocol } from "../../src/model/protocol.ts";
import type { Header, HttpRequest } from "../../src/model/request.ts";

/** Bytes of a body that is read at all: the default of `classify_body_limit`. */
export const BODY_BYTES = 1024 * 1024;
/** Bytes of a target or of all fields; more no head may have. */
export const HEAD_BYTES = 60 * 1024;

/** A request with what it is to be called. */
export interface WorstRequest {
  readonly name: string;
  readonly protocol: Protocol;
  readonly request: HttpRequest;
}

/** A text of the given size: `open`, then `piece` as often as it fits, then `close`. */
export function filled(
  size: number,
  open: string,
  piece: string | ((index: number) => string),
  close = "",
): string {
  const room = size - open.length - close.length;
  if (typeof piece === "string")
    return open + piece.repeat(Math.max(0, Math.floor(room / piece.length))) + close;
  const parts: string[] = [];
  let length = 0;
  for (let index = 0; length < room; index++) {
    const part = piece(index);
    length += part.length;
    if (length <= room) parts.push(part);
  }
  return open + parts.join("") + close;
}

/** Where each protocol reads bodies, by a method and URL; every reader of the protocol has one. */
export const PLACES: readonly (readonly [
  Protocol,
  method: string,
  host: string,
  path: string,
  type: string,
])[] = [
  ["aws", "POST", "ec2.us-east-1.amazonaws.com", "/", "application/x-www-form-urlencoded"],
  ["aws", "POST", "sqs.us-east-1.amazonaws.com", "/", "application/x-amz-json-1.0"],
  ["aws", "POST", "dynamodb.us-east-1.amazonaws.com", "/", "application/x-amz-json-1.0"],
  ["aws", "POST", "rds-data.us-east-1.amazonaws.com", "/Execute", "application/json"],
  ["aws", "POST", "abc.execute-api.us-east-1.amazonaws.com", "/x", "application/x-www-form-urlencoded"],
  ["gcloud", "POST", "compute.googleapis.com", "/batch/compute/v1", "multipart/mixed; boundary=x"],
  ["gcloud", "POST", "bigquery.googleapis.com", "/bigquery/v2/projects/p/queries", "application/json"],
  ["gcloud", "POST", "storage.googleapis.com", "/storage/v1/b", "application/json"],
  [
    "gcloud",
    "POST",
    "spanner.googleapis.com",
    "/google.spanner.v1.Spanner/ExecuteSql",
    "application/x-protobuf",
  ],
  [
    "gcloud",
    "POST",
    "firestore.googleapis.com",
    "/google.firestore.v1.Firestore/Commit",
    "application/x-protobuf",
  ],
  ["kubectl", "POST", "k.example", "/apis/apps/v1/namespaces/a/deployments", "application/json"],
  ["kubectl", "POST", "k.example", "/apis/apps/v1/namespaces/a/deployments", "application/yaml"],
  ["kubectl", "POST", "k.example", "/api/v1/namespaces/a/pods", "application/vnd.kubernetes.protobuf"],
  ["kubectl", "POST", "k.example", "/api/v1/namespaces/a/pods", "application/cbor"],
  ["kubectl", "PATCH", "k.example", "/api/v1/namespaces/a/pods/p", "application/json-patch+json"],
  ["kubectl", "DELETE", "k.example", "/api/v1/namespaces/a/pods/p", "application/json"],
  ["github", "POST", "api.github.com", "/graphql", "application/json"],
  ["github", "POST", "api.github.com", "/graphql", "application/x-www-form-urlencoded"],
  ["github", "POST", "api.github.com", "/graphql", "application/graphql"],
  ["github", "PATCH", "api.github.com", "/repos/a/b", "application/json"],
  ["github", "POST", "api.github.com", "/repos/a/b/issues/1", "application/x-www-form-urlencoded"],
  ["github", "POST", "github.com", "/a/b.git/info/lfs/objects/batch", "application/vnd.git-lfs+json"],
  ["cloudflare", "POST", "api.cloudflare.com", "/client/v4/graphql", "application/json"],
  [
    "cloudflare",
    "POST",
    "api.cloudflare.com",
    "/client/v4/accounts/023e105f4ecef8ad9ca31a8372d0c353/d1/database/b/query",
    "application/json",
  ],
  ["cloudflare", "POST", "w.example.workers.dev", "/x", "application/x-www-form-urlencoded"],
  ["fly", "POST", "api.fly.io", "/graphql", "application/json"],
  ["fly", "POST", "api.machines.dev", "/v1/apps", "application/json"],
  ["fly", "POST", "a.fly.dev", "/x", "application/x-www-form-urlencoded"],
  ["terraform", "POST", "app.terraform.io", "/api/v2/runs", "application/x-www-form-urlencoded"],
  ["helm", "POST", "charts.example", "/api/charts", "multipart/form-data; boundary=x"],
  ["generic", "POST", "h.example", "/x", "application/x-www-form-urlencoded"],
];

/** A GraphQL document below the bound on tokens: many operations that all spread the same fragments. */
const SPREADING = `${Array.from({ length: 900 }, (_, i) => `query Q${i}{...F}`).join(" ")} fragment F on X {${"a{...F b} ".repeat(700)}}`;
const CHAINED = `query Q {...F0} ${Array.from({ length: 900 }, (_, i) => `fragment F${i} on X {a ...F${i + 1}}`).join(" ")} fragment F900 on X {a}`;
const MUTATING = `mutation M($i:I={a:[${"1,".repeat(4000)}]}) {${Array.from({ length: 900 }, (_, i) => `m${i}:deleteRef(input:$i)`).join(" ")}}`;
const NESTED = `query Q ${"{a".repeat(3000)}${"}".repeat(3000)}`;
const QUERYING = `query Q {${Array.from({ length: 1500 }, (_, i) => `r${i}:repository(owner:"a",name:"b${i}"){id}`).join(" ")}}`;

const json = (query: string): string => JSON.stringify({ query });

/** Whole bodies of the largest size, by what they are. */
export const BODIES: readonly (readonly [name: string, text: () => string])[] = [
  ["a& without values", () => filled(BODY_BYTES, "Action=DescribeInstances&", "a&")],
  ["protobuf of tiny strings", () => filled(BODY_BYTES, "", "\x1a\x01A")],
  ["protobuf of many SQLs", () => filled(BODY_BYTES, "", "\x1a\x14SELECT 1, 2 FROM a,bc")],
  ["protobuf of one SQL", () => filled(BODY_BYTES - 10, "\x1a\xf0\xff\x3f", "SELECT 'a', ")],
  ["nothing but &", () => filled(BODY_BYTES, "", "&")],
  ["escapes", () => filled(BODY_BYTES, "a=", "%41")],
  ["escaped escapes", () => filled(BODY_BYTES, "a=", "%2541")],
  ["malformed escapes", () => filled(BODY_BYTES, "a=", "%&")],
  ["semicolons", () => filled(BODY_BYTES, "x=", ";a;")],
  ["actions", () => filled(BODY_BYTES, "", (i) => `Action=A${i}&`)],
  ["nearly actions", () => filled(BODY_BYTES, "", "action[x&")],
  ["methods", () => filled(BODY_BYTES, "", (i) => `_method=M${i}&`)],
  ["brackets", () => filled(BODY_BYTES, "", "[")],
  ["braces", () => filled(BODY_BYTES, "", '{"a":')],
  ["an object of many members", () => filled(BODY_BYTES, '{"z":0', (i) => `,"a${i}":1`, "}")],
  ["an object of escaped members", () => filled(BODY_BYTES, '{"z":0', (i) => `,"\\u0061${i}":1`, "}")],
  ["a list of numbers", () => filled(BODY_BYTES, "[0", ",1", "]")],
  ["a list of objects", () => filled(BODY_BYTES, "[{}", ",{}", "]")],
  ["lists in lists", () => filled(BODY_BYTES, "[[]", ",[[[[]]]]", "]")],
  ["quotes", () => filled(BODY_BYTES, '["', '\\"', '"]')],
  ["backslashes", () => filled(BODY_BYTES, '["', "\\\\", '"]')],
  ["blank lines", () => filled(BODY_BYTES, "", "\n")],
  ["lines of blanks", () => filled(BODY_BYTES, "", " \n")],
  ["one line of blanks", () => filled(BODY_BYTES, "", " ")],
  ["zeros", () => filled(BODY_BYTES, "", "\0")],
  ["bytes that look like fields", () => filled(BODY_BYTES, "k8s\0", "\x12\x01a")],
  ["nested CBOR", () => filled(BODY_BYTES, "", "\x81")],
  ["CBOR items", () => filled(BODY_BYTES, "\x9f", "\xa0")],
  ["YAML flow", () => filled(BODY_BYTES, "a: [", "a, ", "]")],
  ["YAML lines", () => filled(BODY_BYTES, "", (i) => `a${i}: b\n`)],
  ["YAML list", () => filled(BODY_BYTES, "spec:\n", "- a\n")],
  ["YAML documents", () => filled(BODY_BYTES, "", "---\na: b\n")],
  ["YAML aliases", () => filled(BODY_BYTES, "a: &a [b]\nb:\n", "- *a\n")],
  ["YAML depth", () => filled(BODY_BYTES, "", (i) => `${" ".repeat(i % 900)}a:\n`)],
  ["a batch of parts", () => filled(BODY_BYTES, "", BATCH_PART, "--x--")],
  ["a batch of odd parts", () => filled(BODY_BYTES, "", ODD_PART, "--x--")],
  [
    "JSON patch",
    () =>
      filled(BODY_BYTES, '[{"op":"test","path":"/a"}', ',{"op":"add","path":"/spec/a/b","value":{}}', "]"),
  ],
  [
    "a Pod of many containers",
    () => filled(BODY_BYTES, '{"kind":"Pod","spec":{"containers":[{}', ',{"securityContext":{}}', "]}}"),
  ],
  ["SQL statements", () => filled(BODY_BYTES, '{"sql":"', "SELECT 1;", '"}')],
  ["SQL comments", () => filled(BODY_BYTES, '{"sql":"', "/*", '"}')],
  ["SQL dashes", () => filled(BODY_BYTES, '{"sql":"', "-", '"}')],
  ["SQL parentheses", () => filled(BODY_BYTES, '{"Statement":"', "(", '"}')],
  ["SQL quotes", () => filled(BODY_BYTES, '{"Statement":"', "'a", '"}')],
  ["SQL blanks", () => filled(BODY_BYTES, '{"QueryString":"', " ", '"}')],
  ["operations that spread one fragment", () => json(SPREADING)],
  ["fragments in a chain", () => json(CHAINED)],
  ["mutations of one variable", () => json(MUTATING)],
  ["a deep document", () => json(NESTED)],
  ["a document of many fields", () => json(QUERYING)],
  ["a long document", () => json(filled(390_000, "query Q {a(", 'b:"c" '))],
  ["a commented document", () => json(filled(390_000, "query Q {a}", "#\n"))],
  ["a batch of documents", () => `[${Array.from({ length: 64 }, () => json("query Q {a}")).join(",")}]`],
  ["a big batch of documents", () => filled(BODY_BYTES, '[{"query":"{a}"}', ',{"query":"{a}"}', "]")],
  ["a bare document of operations", () => SPREADING],
  [
    "variables",
    () =>
      filled(BODY_BYTES, '{"query":"mutation($i:I){deleteRef(input:$i)}","variables":{"i":[0', ",1", "]}}"),
  ],
];

const BATCH_PART =
  "--x\r\nContent-Type: application/http\r\n\r\nGET /compute/v1/projects/p/zones/z/instances/i\r\n\r\n";
const ODD_PART =
  "--x\r\nContent-Type: application/http\r\n\r\nPOST //compute/%2e%2e/v1/p\r\nX-HTTP-Method: PUT\r\nX-Method-Override: DELETE, PATCH\r\n\r\n";

/** Targets of the largest size, put behind the path of each place. */
export const TARGETS: readonly (readonly [name: string, text: () => string])[] = [
  ["methods in the query", () => filled(HEAD_BYTES, "?", (i) => `_method=M${i}&`)],
  ["pairs in the query", () => filled(HEAD_BYTES, "?", "a&")],
  ["escapes in the query", () => filled(HEAD_BYTES, "?a=", "%41")],
  ["escaped methods", () => filled(HEAD_BYTES, "?", "%5fmethod=GET&")],
  ["semicolons in the query", () => filled(HEAD_BYTES, "?", "a;")],
  ["segments", () => filled(HEAD_BYTES, "", "/a")],
  ["empty segments", () => filled(HEAD_BYTES, "", "/")],
  ["dots", () => filled(HEAD_BYTES, "", "/a/..")],
  ["escaped slashes", () => filled(HEAD_BYTES, "", "%2f")],
  ["escaped escapes in the path", () => filled(HEAD_BYTES, "", "%2525")],
  ["parameters", () => filled(HEAD_BYTES, "", "/a;b")],
  ["colons", () => filled(HEAD_BYTES, "/", "a:")],
  ["words", () => filled(HEAD_BYTES, "/", "getOrCreate")],
  ["words with And", () => filled(HEAD_BYTES, "/x:", "getAnd")],
  ["letters", () => filled(HEAD_BYTES, "/", "aA")],
  ["a document in the query", () => `?query=${encodeURIComponent(SPREADING).slice(0, HEAD_BYTES)}`],
];

/** Fields of the largest size. */
export const FIELDS: readonly (readonly [name: string, fields: () => readonly Header[]])[] = [
  ["overrides", () => Array.from({ length: 900 }, (_, i): Header => ["X-HTTP-Method-Override", `M${i}`])],
  ["a list of overrides", () => [["X-HTTP-Method", filled(HEAD_BYTES, "", (i) => `M${i},`)]]],
  ["targets", () => Array.from({ length: 900 }, (_, i): Header => ["X-Amz-Target", `A.B${i}`])],
  ["paths", () => Array.from({ length: 60 }, (): Header => ["X-Original-URL", "/%25".repeat(250)])],
  ["a long path", () => [["X-Rewrite-URL", filled(HEAD_BYTES, "", "/%2564elete")]]],
  ["a long signature", () => [["Authorization", filled(HEAD_BYTES, "Credential=", "/")]]],
  ["a long type", () => [["Content-Type", filled(HEAD_BYTES, "multipart/mixed", ";boundary=x ")]]],
  ["commas", () => [["Connection", filled(HEAD_BYTES, "", ", upgrade x")]]],
];

/** A text as a body, a character an octet. */
export function octetsOf(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** The request that a place, a target, fields and a body make. */
export function worstRequest(
  [protocol, method, host, path, type]: (typeof PLACES)[number],
  content: Uint8Array | string | undefined,
  target = "",
  fields: readonly Header[] = [],
): HttpRequest {
  const targets: readonly Header[] =
    host.startsWith("dynamodb") || host.startsWith("sqs")
      ? [
          [
            "X-Amz-Target",
            host.startsWith("sqs") ? "AmazonSQS.SendMessage" : "DynamoDB_20120810.ExecuteStatement",
          ],
        ]
      : [];
  const headers: readonly Header[] = [
    ["Content-Type", type],
    ...(protocol === "aws" ? targets : []),
    ...fields,
  ];
  const body =
    content === undefined
      ? { kind: "none" as const }
      : { kind: "whole" as const, bytes: typeof content === "string" ? octetsOf(content) : content };
  return { method, host, port: 443, target: path + target, headers, body };
}
