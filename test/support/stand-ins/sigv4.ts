// Checks an AWS Signature Version 4 as the service does: over method, path, query, signed fields
// and body as they arrived. A gateway that touched any of it fails here, and the client prints
// SignatureDoesNotMatch.

import { createHash, createHmac } from "node:crypto";
import { field, type StandInRequest } from "./stand-in.ts";

/** Why a signature is not valid, or undefined when it is; and what was signed for. */
export interface SignatureCheck {
  readonly problem: string | undefined;
  readonly service: string;
  /** By whose key. */
  readonly accessKey?: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;

/** The parts of a signature, wherever it stands. */
function partsOf(request: StandInRequest): readonly string[] | undefined {
  const { query } = request;
  if (!query.has("X-Amz-Signature"))
    return AUTHORIZATION.exec(field(request, "authorization") ?? "") ?? undefined;
  const scope = (query.get("X-Amz-Credential") ?? "").split("/");
  if (scope.length !== 5 || scope[4] !== "aws4_request") return undefined;
  const [key = "", date = "", region = "", service = ""] = scope;
  return [
    "",
    key,
    date,
    region,
    service,
    query.get("X-Amz-SignedHeaders") ?? "",
    query.get("X-Amz-Signature") ?? "",
  ];
}

/** Checks a request that was signed with this secret key, in its field or its query. */
export function checkSignature(request: StandInRequest, secretKey: string): SignatureCheck {
  const parts = partsOf(request);
  if (parts === undefined) return { problem: "no signature", service: "" };
  const [, accessKey = "", date = "", region = "", service = "", signed = "", signature = ""] = parts;
  const isPresigned = request.query.has("X-Amz-Signature");
  const payload = isPresigned && service === "s3" ? "UNSIGNED-PAYLOAD" : payloadHash(request);
  if (payload === undefined) return { problem: "the body is not what x-amz-content-sha256 says", service };
  const canonical = [
    request.method,
    service === "s3" ? request.path : encodedAgain(request.path),
    canonicalQuery(request.target),
    ...signed.split(";").map((name) => `${name}:${valuesOf(request, name)}`),
    "",
    signed,
    payload,
  ].join("\n");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const time = request.query.get("X-Amz-Date") ?? field(request, "x-amz-date") ?? "";
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = keyOf(secretKey, scope);
  if (hmac(key, text) !== signature) return { problem: "the signature does not match", service, accessKey };
  const problem = payload.startsWith("STREAMING-AWS4-")
    ? chunksProblem(request, key, time, scope, signature)
    : undefined;
  return { problem, service, accessKey };
}

function keyOf(secretKey: string, scope: string): Buffer {
  return scope
    .split("/")
    .reduce<string | Buffer>(
      (secret, part) => createHmac("sha256", secret).update(part).digest(),
      `AWS4${secretKey}`,
    ) as Buffer;
}

function hmac(key: Buffer, text: string): string {
  return createHmac("sha256", key).update(text).digest("hex");
}

/** Follows the signatures of a body in signed chunks, and of its trailer. */
function chunksProblem(
  { body }: StandInRequest,
  key: Buffer,
  time: string,
  scope: string,
  seed: string,
): string | undefined {
  const bytes = Buffer.from(body);
  let before = seed;
  for (let at = 0; ; ) {
    const end = bytes.indexOf("\r\n", at);
    const line = /^([0-9a-f]+);chunk-signature=([0-9a-f]{64})$/.exec(bytes.toString("latin1", at, end));
    if (line === null) return "a chunk is not signed";
    const length = Number.parseInt(line[1] ?? "", 16);
    const data = bytes.subarray(end + 2, end + 2 + length);
    const text = ["AWS4-HMAC-SHA256-PAYLOAD", time, scope, before, sha256(""), sha256(data)].join("\n");
    before = hmac(key, text);
    if (before !== line[2]) return "the signature of a chunk does not match";
    at = end + 2 + length + (length > 0 ? 2 : 0);
    if (length > 0) continue;
    const trailer = bytes.toString("latin1", at);
    const [, fields, signature] =
      /^(.*\r?\n)x-amz-trailer-signature:([0-9a-f]{64})\r\n(?:\r\n)?$/s.exec(trailer) ?? [];
    if (fields === undefined) return trailer.trim() === "" ? undefined : "the trailer is not signed";
    const canonical = fields.replace(/\r?\n/g, "\n");
    const over = ["AWS4-HMAC-SHA256-TRAILER", time, scope, before, sha256(canonical)].join("\n");
    return hmac(key, over) === signature ? undefined : "the signature of the trailer does not match";
  }
}

/** Every service but S3 signs the path encoded once more. */
function encodedAgain(path: string): string {
  const encoded = path.split("/").map((segment) => encodeURIComponent(segment));
  return encoded.join("/").replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** The payload's line of the canonical request; undefined when the body differs from what the field says. */
function payloadHash(request: StandInRequest): string | undefined {
  const said = field(request, "x-amz-content-sha256");
  const actual = sha256(request.body);
  if (said === undefined) return actual;
  return /^[0-9a-f]{64}$/.test(said) && said !== actual ? undefined : said;
}

function canonicalQuery(target: string): string {
  const [, query = ""] = target.split(/\?(.*)/s);
  if (query === "") return "";
  const pairs = query.split("&").map((pair) => (pair.includes("=") ? pair : `${pair}=`));
  return pairs
    .filter((pair) => !pair.startsWith("X-Amz-Signature="))
    .sort()
    .join("&");
}

function valuesOf(request: StandInRequest, name: string): string {
  const values = request.headers.filter(([key]) => key.toLowerCase() === name);
  return values.map(([, value]) => value.trim().replace(/ +/g, " ")).join(",");
}

/** Decodes an aws-chunked body. Throws when its chunks or its trailing CRC-32 are not right. */
export function decodeAwsChunked(body: Uint8Array): Uint8Array {
  const bytes = Buffer.from(body);
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = bytes.indexOf("\r\n", at);
    if (line < 0) throw new Error("a chunk has no size line");
    const length = Number.parseInt(bytes.toString("latin1", at, line), 16);
    at = line + 2;
    if (length === 0) return checked(Buffer.concat(pieces), bytes.toString("latin1", at));
    pieces.push(bytes.subarray(at, at + length));
    at += length + 2;
    if (bytes.toString("latin1", at - 2, at) !== "\r\n")
      throw new Error("a chunk does not end where it said");
  }
}

function checked(data: Buffer, trailer: string): Uint8Array {
  const sum = /^x-amz-checksum-crc32:(\S+)\r\n/.exec(trailer)?.[1];
  const actual = Buffer.alloc(4);
  actual.writeUInt32BE(Bun.hash.crc32(data));
  if (sum !== actual.toString("base64")) throw new Error(`the checksum is not ${sum}`);
  return new Uint8Array(data);
}
