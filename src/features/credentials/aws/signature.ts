// Signature Version 4 in a field or in the query: found, checked with one secret, made with
// another. Owns the parts that a signature must cover to be believed; resign.ts decides what may be
// signed again, and with which keys.

import { createHmac, timingSafeEqual } from "node:crypto";
import { type Header, headerValue, headerValues } from "../../../model/request.ts";
import { splitTarget } from "../../../wire/path.ts";
import {
  canonicalRequest,
  encode,
  readingsFor,
  type SignableRequest,
  type SignedReading,
  sha256,
} from "./canonical-request.ts";

/** Access key and secret, and the token of a session. */
export interface AwsKeys {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly sessionToken?: string;
}

/** A signature as its request states it. */
export interface StatedSignature {
  readonly place: "field" | "query";
  readonly accessKey: string;
  /** `<day>/<region>/<service>/aws4_request`. */
  readonly scope: string;
  readonly day: string;
  readonly region: string;
  readonly service: string;
  /** Names in lower case. */
  readonly signed: readonly string[];
  readonly signature: string;
  /** `20261129T101500Z`. */
  readonly time: string;
  /** The validity of a signed URL, in seconds. */
  readonly expires?: number;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
const NOT_AGAIN = `has another signature than ${ALGORITHM}, the only one that iddio makes again`;
const FIELD = /^AWS4-HMAC-SHA256\s+(.*)$/s;
const TIME = /^\d{8}T\d{6}Z$/;

/** The access key that a request names, by whatever version of a signature; undefined when it is not signed. */
export function statedAccessKey(target: string, headers: readonly Header[]): string | undefined {
  const field = headerValue(headers, "authorization");
  if (field?.startsWith("AWS4-") === true) return /\bCredential=([^/,\s]+)\//.exec(field)?.[1];
  if (field?.startsWith("AWS ") === true) return field.slice(4).split(":")[0];
  const named = new Map(pairsOf(target));
  return named.get("X-Amz-Credential")?.split("/")[0] ?? named.get("AWSAccessKeyId");
}

/** The one signature of a request, or why it cannot be read, as a clause. */
export function readSignature(target: string, headers: readonly Header[]): StatedSignature | string {
  const fields = headerValues(headers, "authorization");
  const query = new Map(pairsOf(target).filter(([name]) => name.startsWith("X-Amz-")));
  const isPresigned = query.has("X-Amz-Credential") || query.has("X-Amz-Signature");
  if (fields.length > 1 || (fields.length === 1 && isPresigned)) return "is signed more than once";
  if (fields.length === 1) return readField(fields[0] ?? "", headers);
  if (query.get("X-Amz-Algorithm") !== ALGORITHM) return NOT_AGAIN;
  if (pairsOf(target).filter(([name]) => name === "X-Amz-Signature").length !== 1)
    return "is signed more than once";
  return stated(
    "query",
    query.get("X-Amz-Credential") ?? "",
    query.get("X-Amz-SignedHeaders") ?? "",
    query.get("X-Amz-Signature") ?? "",
    query.get("X-Amz-Date") ?? "",
    Number(query.get("X-Amz-Expires") ?? Number.NaN),
  );
}

function readField(field: string, headers: readonly Header[]): StatedSignature | string {
  const parts = FIELD.exec(field)?.[1];
  if (parts === undefined) return NOT_AGAIN;
  const named = new Map(
    parts.split(",").map((part) => {
      const at = part.indexOf("=");
      return [part.slice(0, at).trim(), part.slice(at + 1).trim()] as const;
    }),
  );
  const times = headerValues(headers, "x-amz-date");
  if (times.length > 1) return "has two X-Amz-Date fields";
  return stated(
    "field",
    named.get("Credential") ?? "",
    named.get("SignedHeaders") ?? "",
    named.get("Signature") ?? "",
    times[0] ?? timeOf(headerValue(headers, "date")),
    undefined,
  );
}

function stated(
  place: "field" | "query",
  credential: string,
  names: string,
  signature: string,
  time: string,
  expires: number | undefined,
): StatedSignature | string {
  const [accessKey = "", day = "", region = "", service = "", end, ...more] = credential.split("/");
  const signed = names.toLowerCase().split(";");
  if (end !== "aws4_request" || more.length > 0 || !/^\d{8}$/.test(day) || region === "" || service === "")
    return "has a credential scope that cannot be read";
  if (!/^[0-9a-f]{64}$/.test(signature)) return "has a signature that cannot be read";
  if (!TIME.test(time) || !time.startsWith(day)) return "has a date that is not that of its scope";
  if (!signed.includes("host")) return "has a signature that does not cover the host";
  if (place === "query" && !(expires !== undefined && expires > 0 && expires <= 604_800))
    return "does not say how long it is good for";
  return {
    place,
    accessKey,
    scope: `${day}/${region}/${service}/aws4_request`,
    day,
    region,
    service,
    signed,
    signature,
    time,
    ...(expires === undefined ? {} : { expires }),
  };
}

/** The reading by which a request's signature is right under this secret; undefined when it is wrong. */
export function verifiedReading(
  request: SignableRequest,
  stated: StatedSignature,
  secretKey: string,
): SignedReading | undefined {
  const key = signingKey(secretKey, stated);
  return readingsFor(stated.service).find((reading) =>
    isEqual(signatureOver(request, stated, stated.signed, reading, key), stated.signature),
  );
}

/** The signature of a request. */
export function signatureOver(
  request: SignableRequest,
  { time, scope }: Pick<StatedSignature, "time" | "scope">,
  signed: readonly string[],
  reading: SignedReading,
  key: Uint8Array,
): string {
  const text = [ALGORITHM, time, scope, sha256(canonicalRequest(request, signed, reading))].join("\n");
  return createHmac("sha256", key).update(text).digest("hex");
}

/** The key of one day, region and service. */
export function signingKey(
  secretKey: string,
  { day, region, service }: Pick<StatedSignature, "day" | "region" | "service">,
): Uint8Array {
  return [day, region, service, "aws4_request"].reduce<string | Uint8Array>(
    (key, part) => createHmac("sha256", key).update(part).digest(),
    `AWS4${secretKey}`,
  ) as Uint8Array;
}

/** The value of Authorization. */
export function authorization(
  accessKey: string,
  scope: string,
  signed: readonly string[],
  signature: string,
): string {
  return `${ALGORITHM} Credential=${accessKey}/${scope}, SignedHeaders=${signed.join(";")}, Signature=${signature}`;
}

/** A target with these parameters of its signature in place of those that it had; the others stay as they are. */
export function withParameters(target: string, changed: ReadonlyMap<string, string | undefined>): string {
  const { path, query = "" } = splitTarget(target);
  const kept = query.split("&").filter((pair) => pair !== "" && !changed.has(pair.split("=", 1)[0] ?? ""));
  const added = [...changed].flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encode(value)}`],
  );
  return `${path}?${[...kept, ...added].join("&")}`;
}

/** When a signature was made, in milliseconds. */
export function madeAt({ time }: StatedSignature): number {
  return Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}

/** Whether two signatures are equal, in constant time. */
export function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function timeOf(date: string | undefined): string {
  const ms = Date.parse(date ?? "");
  return Number.isNaN(ms) ? "" : new Date(ms).toISOString().replace(/[-:]|\.\d+/g, "");
}

/** Decoded once; a malformed escape stays. */
function pairsOf(target: string): readonly (readonly [string, string])[] {
  const { query = "" } = splitTarget(target);
  const decode = (text: string) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  return query.split("&").map((pair) => {
    const at = pair.indexOf("=");
    return at < 0
      ? ([decode(pair), ""] as const)
      : ([decode(pair.slice(0, at)), decode(pair.slice(at + 1))] as const);
  });
}
