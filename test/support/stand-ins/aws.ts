// AWS as its CLI sees it: a few operations in each of its wire protocols (query, EC2's, JSON 1.0
// and 1.1, REST with JSON and XML) and S3 with multi-part uploads. Every request's signature is
// checked before it is answered.

import { createHash } from "node:crypto";
import { checkSignature, decodeAwsChunked } from "./sigv4.ts";
import { bodyText, field, type StandInReply, type StandInRequest, type Vendor } from "./stand-in.ts";

/** The region that the tests work in. */
export const AWS_REGION = "us-east-1";
/** Credentials that the stand-in knows. The access key belongs to account 111122223333. */
export const AWS_ACCESS_KEY = "AKIARTX3GSDSQAEXAMPL";
export const AWS_SECRET_KEY = "standin/Secret+Key";
/** Starts of the CLI without network that import what most of its commands need. */
export const AWS_WARM = [
  ["sts", "get-caller-identity", "--generate-cli-skeleton"],
  ["s3", "presign", "s3://a/b"],
];

/** A host that speaks S3 and is not AWS's. */
export const OWN_STORE = "objects.example.test";

const S3 = /^(?:(.+)\.)?s3(?:\.us-east-1)?\.amazonaws\.com$/;

/** An AWS that remembers S3's objects, by `<bucket>/<key>` with the key as it stands in the path. */
export function aws(objects: Map<string, Uint8Array>): Vendor {
  const parts = new Map<number, Uint8Array>();
  return (request) => {
    const { problem } = checkSignature(request, AWS_SECRET_KEY);
    const bucket = S3.exec(request.host);
    if (problem !== undefined) return xmlError("SignatureDoesNotMatch", problem);
    if (bucket !== null) return answerS3(request, `${bucket[1]}${request.path}`, objects, parts);
    if (request.host === OWN_STORE) return answerS3(request, request.path.slice(1), objects, parts);
    const target = field(request, "x-amz-target");
    if (target !== undefined) return amzJson(JSON_ANSWERS[target]);
    const action = new URLSearchParams(bodyText(request)).get("Action");
    if (action !== null) return xml(QUERY_ANSWERS[action]);
    if (request.host.startsWith("lambda.")) return amzJson(answerLambda(request));
    return request.host.startsWith("route53.") ? xml(ZONES) : undefined;
  };
}

const QUERY_ANSWERS: Readonly<Record<string, string>> = {
  GetCallerIdentity:
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/operator</Arn><UserId>AIDA</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
  DescribeInstances:
    "<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-0abc</instanceId></item></instancesSet></item></reservationSet></DescribeInstancesResponse>",
  CreateTags: "<CreateTagsResponse><return>true</return></CreateTagsResponse>",
};

const JSON_ANSWERS: Readonly<Record<string, unknown>> = {
  "DynamoDB_20120810.ListTables": { TableNames: ["orders"] },
  "DynamoDB_20120810.PutItem": {},
};

const ZONES =
  "<ListHostedZonesResponse><HostedZones><HostedZone><Id>/hostedzone/Z1</Id><Name>acme.example.</Name><CallerReference>r</CallerReference></HostedZone></HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesResponse>";

function answerLambda({ method, path }: StandInRequest): unknown {
  return method === "GET" && path.startsWith("/2015-03-31/functions/")
    ? { Configuration: { FunctionName: "shop" } }
    : undefined;
}

function amzJson(value: unknown): StandInReply | undefined {
  if (value === undefined) return undefined;
  const headers = { "Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": "stand-in" };
  return { status: 200, headers, body: JSON.stringify(value) };
}

function xml(body: string | undefined, status = 200): StandInReply | undefined {
  return body === undefined ? undefined : { status, headers: { "Content-Type": "text/xml" }, body };
}

function xmlError(code: string, message: string): StandInReply | undefined {
  return xml(`<Error><Code>${code}</Code><Message>${message}</Message></Error>`, 403);
}

function answerS3(
  request: StandInRequest,
  place: string,
  objects: Map<string, Uint8Array>,
  parts: Map<number, Uint8Array>,
): StandInReply | undefined {
  const { method, query } = request;
  const object = objects.get(place);
  switch (method) {
    case "GET":
    case "HEAD":
      if (/^[^/]*\/?$/.test(place)) return xml(listing(place.replace("/", ""), objects));
      return object === undefined ? xml("<Error><Code>NoSuchKey</Code></Error>", 404) : sent(request, object);
    case "PUT": {
      const content = contentOf(request);
      if (query.has("partNumber")) parts.set(Number(query.get("partNumber")), content);
      else objects.set(place, content);
      return { status: 200, headers: { ETag: tagOf(content) } };
    }
    case "POST":
      if (query.has("uploads"))
        return xml("<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>");
      objects.set(place, joined(parts));
      return xml('<CompleteMultipartUploadResult><ETag>"u1"</ETag></CompleteMultipartUploadResult>');
    case "DELETE":
      objects.delete(place);
      return { status: 204 };
    default:
      return undefined;
  }
}

/** The CLI fetches what is large in ranges, side by side. */
function sent(request: StandInRequest, object: Uint8Array): StandInReply {
  const headers = { ETag: tagOf(object), "Last-Modified": DATE };
  const range = /^bytes=(\d+)-(\d*)$/.exec(field(request, "range") ?? "");
  if (range === null) return { status: 200, headers, body: object };
  const [from, to] = [Number(range[1]), Math.min(Number(range[2] || object.length), object.length - 1)];
  const place = { "Content-Range": `bytes ${from}-${to}/${object.length}` };
  return { status: 206, headers: { ...headers, ...place }, body: object.subarray(from, to + 1) };
}

const DATE = "Fri, 02 Jan 2026 03:04:05 GMT";

function listing(bucket: string, objects: Map<string, Uint8Array>): string {
  const contents = [...objects].flatMap(([place, { length }]) =>
    place.startsWith(`${bucket}/`)
      ? [
          `<Contents><Key>${place.slice(bucket.length + 1)}</Key><Size>${length}</Size><LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents>`,
        ]
      : [],
  );
  return `<ListBucketResult><Name>${bucket}</Name><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>${contents.join("")}</ListBucketResult>`;
}

function contentOf(request: StandInRequest): Uint8Array {
  const isChunked = field(request, "content-encoding") === "aws-chunked";
  return isChunked ? decodeAwsChunked(request.body) : request.body;
}

function tagOf(content: Uint8Array): string {
  return `"${createHash("md5").update(content).digest("hex")}"`;
}

function joined(parts: Map<number, Uint8Array>): Uint8Array {
  const inOrder = [...parts].sort(([a], [b]) => a - b).map(([, part]) => part);
  parts.clear();
  return new Uint8Array(Buffer.concat(inOrder));
}
