// Additions of a client to a request of the corpora: fields, query parameters, members of the body.
// Made from a seed, fast enough for millions. Owns the closed list of additions that may lower a
// tier, each with its reason.

import type { Protocol } from "../../src/model/protocol.ts";
import { isProtocol } from "../../src/model/protocol.ts";
import type { Header, HttpRequest, RequestBody } from "../../src/model/request.ts";
import { TIERS, type TierOrUnknown } from "../../src/model/tier.ts";
import { splitUrl } from "../../src/protocols/batch.ts";
import { classifierFor } from "../../src/protocols/registry.ts";
import { type Case, CORPORA, readCorpus } from "./corpora.ts";
import { decodeBody } from "./decode-body.ts";

/** One thing added; `text` of a query or body is a whole pair or member. */
export interface Addition {
  readonly place: "header" | "query" | "json" | "form";
  readonly name: string;
  readonly value: string;
  /** It names the operation of a request that names none; such a request may become known by it. */
  readonly isName?: boolean;
}

/** A request whose tier sank by what was added. */
export interface Lowered {
  readonly id: string;
  readonly added: readonly Addition[];
  readonly from: TierOrUnknown;
  readonly to: TierOrUnknown;
  readonly request: HttpRequest;
}

const METHODS = ["GET", "get", "HEAD", "OPTIONS", "DELETE", "PATCH", "GET, POST", ""];
const OVERRIDES = [
  ...["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X_HTTP_METHOD_OVERRIDE"],
  ...["x-http_method-override", "X-HTTP-METHOD", "X_Method_Override"],
];

const scope = (service: string) =>
  `AWS4-HMAC-SHA256 Credential=AKIAQAAAAAAAAAAAAAAA/20240101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=00`;

const named = (place: Addition["place"], pairs: readonly (readonly [string, string])[], isName = false) =>
  pairs.map(([name, value]): Addition => ({ place, name, value, ...(isName ? { isName } : {}) }));

const ADDITIONS: readonly Addition[] = [
  ...OVERRIDES.flatMap((name) =>
    named(
      "header",
      METHODS.map((method) => [name, method] as const),
    ),
  ),
  ...named(
    "header",
    ["s3", "sts", "ec2", "sqs", "sso", "execute-api", "bedrock", "nothing"].map(
      (one) => ["Authorization", scope(one)] as const,
    ),
  ),
  ...named("header", [
    ["Accept", "application/json;as=Table;v=v1;g=meta.k8s.io"],
    ["Accept", "application/vnd.github.raw"],
    ["X-Goog-User-Project", "other"],
    ["X-Goog-Request-Params", "name=projects/p"],
    ["X-Goog-FieldMask", "*"],
    ["X-Goog-If-Generation-Match", "0"],
    ["X-Original-URL", "/healthz"],
    ["X-Rewrite-URL", "/"],
    ["X-Forwarded-Host", "localhost"],
    ["X-Forwarded-Method", "GET"],
    ["X-Amz-Account-Id", "111122223333"],
    ["X-Amz-Acl", "private"],
    ["X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"],
    ["X-Amz-Dry-Run", "true"],
    ["Prefer", "validateOnly"],
    ["X-GitHub-Api-Version", "2022-11-28"],
    ["Content-Length", "4"],
    ["Range", "bytes=0-1"],
    ["If-None-Match", "*"],
    ["Cookie", "_method=GET"],
    ["X-Requested-With", "XMLHttpRequest"],
    ["Dry-Run", "All"],
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Impersonate-User", "a"],
    ["X-Remote-User", "system:masters"],
  ]),
  ...named(
    "header",
    [
      ["X-Amz-Target", "AmazonSQS.ListQueues"],
      ["X-Amz-Target", "DynamoDB_20120810.ListTables"],
      ["X-Amz-Copy-Source", "/other/key"],
      ["Content-Type", "application/json"],
      ["Content-Type", "application/x-www-form-urlencoded"],
      ["Content-Type", "application/x-amz-json-1.1"],
      ["Content-Type", "application/grpc"],
      ["Content-Type", "multipart/mixed; boundary=x"],
    ],
    true,
  ),
  ...METHODS.flatMap((method) =>
    named(
      "query",
      [
        "_method",
        "_METHOD",
        "%5fmethod",
        "method",
        "httpMethod",
        "$httpMethod",
        "x-http-method-override",
      ].map((name) => [name, method] as const),
    ),
  ),
  ...named("query", [
    ["dryRun", "All"],
    ["dryRun", "true"],
    ["DryRun", "true"],
    ["dry_run", "1"],
    ["validateOnly", "true"],
    ["validate_only", "true"],
    ["watch", "true"],
    ["watch", "false"],
    ["alt", "media"],
    ["alt", "json"],
    ["fields", "name"],
    ["view", "BASIC"],
    ["prettyPrint", "false"],
    ["predefinedAcl", "private"],
    ["hide_secret", "true"],
    ["show_secrets", "false"],
    ["force", "false"],
    ["preview", "true"],
    ["readonly", "true"],
    ["$httpHeaders", "X-HTTP-Method-Override: GET"],
    ["X-Amz-Credential", "AKIAQAAAAAAAAAAAAAAA/20240101/us-east-1/s3/aws4_request"],
    ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
    ["x-id", "GetObject"],
    ["versionId", "1"],
    ["list-type", "2"],
    ["service", "git-upload-pack"],
    ["a", "%zz"],
    ["a;b", "c"],
    ["", ""],
  ]),
  ...named(
    "query",
    [
      ["Action", "DescribeInstances"],
      ["Action", "GetCallerIdentity"],
      ["action", "ListUsers"],
      ["query", "{viewer{login}}"],
      ["operationName", "Q"],
      ["acl", ""],
      ["tagging", ""],
      ["uploads", ""],
      ["uploadId", "1"],
      ["uploadId", ""],
      ["uploadid", "1"],
      ["upload_id", ""],
      ["upload_id", "1"],
      ["uploadType", "resumable"],
      ["select&select-type", "2"],
      ["delete", ""],
      ["cors", ""],
      ["policy", ""],
    ],
    true,
  ),
  ...named("json", [
    ["dryRun", '["All"]'],
    ["dryRun", "true"],
    ["DryRun", "true"],
    ["validateOnly", "true"],
    ["private", "true"],
    ["sql", '"SELECT 1"'],
    ["Statement", '"SELECT 1"'],
    ["QueryString", '"SELECT 1"'],
    ["_method", '"GET"'],
    ["method", '"GET"'],
    ["operation", '"download"'],
    ["readOnly", "true"],
    ["kind", '"SelfSubjectReview"'],
    ["spec", "{}"],
    ["type", '"Opaque"'],
    ["zzz", "[1,{}]"],
  ]),
  ...named(
    "json",
    [
      ["query", '"{viewer{login}}"'],
      ["operationName", '"Q"'],
      ["variables", "{}"],
    ],
    true,
  ),
  ...named("form", [
    ["_method", "GET"],
    ["_method", "DELETE"],
    ["DryRun", "true"],
    ["a", "b"],
    ["a", "%zz"],
  ]),
  ...named("form", [["Action", "DescribeInstances"]], true),
];

/** The closed list: what may lower a tier, because the upstream documents that it acts otherwise then. */
const DOCUMENTED: readonly ((protocol: Protocol, request: HttpRequest, added: Addition) => boolean)[] = [
  // Google's JSON REST reads by POST when this field, and no other, says so.
  (protocol, { method }, { place, name, value }) =>
    protocol === "gcloud" && method === "POST" && place === "header" && value === "GET" && isDashed(name),
  // The API server stores nothing on a dry run, from the query or the options of a deletion. Kubernetes documents it for
  // its own types and custom ones; what another server answers is not believed (kubectl/tier.ts). The rules behind the
  // cases ask for it, and a person who is asked about every `--dry-run=server` learns to say yes.
  (protocol, { host, method }, { place, name, value }) =>
    (protocol === "kubectl" || (protocol === "gcloud" && CONNECT_GATEWAY.test(host))) &&
    name === "dryRun" &&
    /\bAll\b/.test(value) &&
    (place === "query" ? !READING.has(method) : place === "json" && method === "DELETE"),
  // In S3's protocol the query names the operation, as a path does elsewhere: with an upload's id DELETE gives up that
  // upload and no object, with `tagging` it takes the tags of a bucket or an object alone. Every upload that fails sends
  // the first one by itself. Uploads are of objects only, and have an id.
  (protocol, { host, method, target }, { place, name, value }) =>
    method === "DELETE" &&
    place === "query" &&
    ((protocol === "aws" && name === "tagging" && S3.test(host)) ||
      (value !== "" &&
        isOfObject(host, target) &&
        ((protocol === "aws" && name === "uploadId" && S3.test(host)) ||
          (protocol === "gcloud" && /^upload(?:Id|_id)$/.test(name) && XML_STORAGE.test(host))))),
];

/** Whether an S3 request names an object: a bucket's own host and a path, or a bucket first in it. */
function isOfObject(host: string, target: string): boolean {
  const isBucketHost = !/^(?:s3[.-]|(?:commondata)?storage\.)/.test(host);
  const [path = ""] = target.split("?");
  return (isBucketHost ? /^\/./ : /^\/[^/]+\/./).test(path);
}

const READING: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
/** GKE's way to a cluster, which is Kubernetes behind it. */
const CONNECT_GATEWAY = /^(?:[a-z0-9-]+-)?connectgateway\.googleapis\.com$/;
const S3 = /(?:^|\.)s3[.-][a-z0-9.-]*amazonaws\.com(?:\.cn)?$/;
const XML_STORAGE = /(?:^|\.)(?:commondata)?storage\.googleapis\.com$/;

const isDashed = (name: string): boolean => name.toLowerCase() === "x-http-method-override";

/** A request of the corpora with its tier. */
export interface Base {
  readonly id: string;
  readonly protocol: Protocol;
  readonly request: HttpRequest;
  readonly tier: TierOrUnknown;
}

/** Every request of the corpora. */
export function bases(): readonly Base[] {
  return CORPORA.flatMap(readCorpus).flatMap((row) => {
    const request = requestOfCase(row);
    if (request === undefined || !isProtocol(row.protocol)) return [];
    return [
      {
        id: row.id,
        protocol: row.protocol,
        request,
        tier: classifierFor(row.protocol).classify(request).tier,
      },
    ];
  });
}

/** The request of a case; undefined for a command line. */
export function requestOfCase(row: Case): HttpRequest | undefined {
  const split = splitUrl(row.url ?? "");
  if ("problem" in split || row.method === undefined) return undefined;
  const headers = Object.entries(row.headers ?? {}).map(([name, value]): Header => [name, String(value)]);
  const sent =
    row.body === undefined
      ? row.body_b64 === undefined
        ? undefined
        : Uint8Array.fromBase64(row.body_b64)
      : new TextEncoder().encode(row.body);
  const bytes = sent && decodeBody(headers, sent);
  const body: RequestBody = bytes === undefined ? { kind: "none" } : { kind: "whole", bytes };
  return { method: row.method, ...split, headers, body };
}

/** Tries this many variations; returns those that sank. */
export function tryAdditions(all: readonly Base[], runs: number, seed: number): readonly Lowered[] {
  const random = randomFrom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const lowered: Lowered[] = [];
  for (let run = 0; run < runs; run++) {
    const base = pick(all);
    const count = 1 + Math.floor(random() * random() * 4);
    const added: Addition[] = [];
    for (let i = 0; i < count; i++) {
      const one = pick(ADDITIONS);
      if (base.tier === "unknown" && one.isName === true) continue;
      if (!DOCUMENTED.some((is) => is(base.protocol, base.request, one))) added.push(one);
    }
    const request = added.reduce((so, one) => withAddition(so, one, random() < 0.5), base.request);
    const { tier } = classifierFor(base.protocol).classify(request);
    if (rank(tier) < rank(base.tier))
      lowered.push({ id: base.id, added, from: base.tier, to: tier, request });
  }
  return lowered;
}

const rank = (tier: TierOrUnknown): number => (tier === "unknown" ? TIERS.length : TIERS.indexOf(tier));

function withAddition(request: HttpRequest, { place, name, value }: Addition, isFirst: boolean): HttpRequest {
  switch (place) {
    case "header": {
      const field: Header = [name, value];
      return { ...request, headers: isFirst ? [field, ...request.headers] : [...request.headers, field] };
    }
    case "query": {
      const pair = value === "" && name !== "" ? name : `${name}=${value.replaceAll(" ", "%20")}`;
      const mark = request.target.indexOf("?");
      if (mark < 0) return { ...request, target: `${request.target}?${pair}` };
      const query = request.target.slice(mark + 1);
      const both = isFirst ? `${pair}&${query}` : `${query}&${pair}`;
      return { ...request, target: `${request.target.slice(0, mark)}?${both}` };
    }
    default:
      return { ...request, body: withMember(request.body, place, name, value, isFirst) };
  }
}

const utf8 = new TextEncoder();

/** A member of a JSON object or a pair of a form; a body of another kind stays, and none becomes the member alone. */
function withMember(
  body: RequestBody,
  place: string,
  name: string,
  value: string,
  isFirst: boolean,
): RequestBody {
  const member = place === "json" ? `${JSON.stringify(name)}:${value}` : `${name}=${value}`;
  if (body.kind !== "whole" || body.bytes.length === 0)
    return { kind: "whole", bytes: utf8.encode(place === "json" ? `{${member}}` : member) };
  const text = new TextDecoder().decode(body.bytes);
  if (place === "form") {
    if (!/^[\w.%-]+=/.test(text)) return body;
    return { kind: "whole", bytes: utf8.encode(isFirst ? `${member}&${text}` : `${text}&${member}`) };
  }
  const inner = /^\s*\{([\s\S]*)\}\s*$/.exec(text)?.[1];
  if (inner === undefined) return body;
  const parts = inner.trim() === "" ? [member] : isFirst ? [member, inner] : [inner, member];
  return { kind: "whole", bytes: utf8.encode(`{${parts.join(",")}}`) };
}

/** Mulberry32: small, fast, the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
