// Checks an AWS Signature Version 4 as the service does: over method, path, query, signed fields and body as they
// arrived. A gateway that touched any of it fails here, and the client prints SignatureDoesNotMatch.

import { createHash, createHmac } from "node:crypto";
import { field, type StandInRequest } from "./stand-in.ts";

/** Why a signature is not valid, or undefined when it is; and what was signed for. */
export interface SignatureCheck {
  readonly problem: string | undefined;
  readonly service: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;

/** Checks a request that was signed with this secret key. */
export function checkSignature(request: StandInRequest, secretKey: string): SignatureCheck {
  const parts = AUTHORIZATION.exec(field(request, "authorization") ?? "");
  if (parts === null) return { problem: "no signature", service: "" };
  const [, , date = "", region = "", service = "", signed = "", signature = ""] = parts;
  const payload = payloadHash(request);
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
  const text = ["AWS4-HMAC-SHA256", field(request, "x-amz-date"), scope, sha256(canonical)].join("\n");
  const key = [date, region, service, "aws4_request"].reduce<string | Buffer>(
    (secret, part) => createHmac("sha256", secret).update(part).digest(),
    `AWS4${secretKey}`,
  );
  const expected = createHmac("sha256", key).update(text).digest("hex");
  return { problem: expected === signature ? undefined : "the signature does not match", service };
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
  return pairs.sort().join("&");
}

function valuesOf(request: StandInRequest, name: string): string {
  const values = request.headers.filter(([key]) => key.toLowerCase() === name);
  return values.map(([, value]) => value.trim().replace(/ +/g, " ")).join(",");
}

/** What an aws-chunked body holds. Throws when its chunks or its trailing CRC-32 are not right. */
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
