// The text that a Signature Version 4 is made over. Clients differ in how often they encode a path
// and whether they write a query again, and services accept what their own clients do: so there are
// several readings, and the one by which the client's signature is right is the one that is signed
// again.

import { createHash } from "node:crypto";
import type { Header } from "../../../model/request.ts";
import { splitTarget } from "../../../wire/path.ts";

/** A request as it is signed. */
export interface SignableRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
  /** The payload's hash, or a word such as UNSIGNED-PAYLOAD. */
  readonly payload: string;
}

/** How a path and a query are written in the canonical request. */
export interface SignedReading {
  readonly path: "sent" | "encoded" | "encoded-again" | "normalised";
  readonly query: "sent" | "encoded";
}

/** Readings by service, the usual one first. */
export function readingsFor(service: string): readonly SignedReading[] {
  const paths: readonly SignedReading["path"][] = service.startsWith("s3")
    ? ["sent", "encoded"]
    : ["normalised", "encoded-again", "sent"];
  return paths.flatMap((path) => [{ path, query: "sent" } as const, { path, query: "encoded" } as const]);
}

/** The canonical request over these fields, whose names are in lower case and in order. */
export function canonicalRequest(
  { method, target, headers, payload }: SignableRequest,
  signed: readonly string[],
  reading: SignedReading,
): string {
  const { path, query = "" } = splitTarget(target);
  return [
    method,
    canonicalPath(path, reading.path),
    canonicalQuery(query, reading.query),
    ...signed.map((name) => `${name}:${valuesOf(headers, name)}`),
    "",
    signed.join(";"),
    payload,
  ].join("\n");
}

/** SHA-256 in hexadecimal. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** RFC 3986: everything but unreserved characters as upper-case escapes. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function canonicalPath(path: string, how: SignedReading["path"]): string {
  const raw = path === "" ? "/" : path;
  switch (how) {
    case "sent":
      return raw;
    case "encoded":
      return eachSegment(raw, (segment) => encode(decoded(segment)));
    case "encoded-again":
      return eachSegment(raw, encode);
    case "normalised":
      return eachSegment(withoutDots(raw), encode);
  }
}

function eachSegment(path: string, change: (segment: string) => string): string {
  return path.split("/").map(change).join("/");
}

/** Dots and empty segments as they are resolved for every service but S3. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "." && segment !== "") kept.push(segment);
  }
  const isFolder = /\/\.{0,2}$/.test(path) && kept.length > 0;
  return `/${kept.join("/")}${isFolder ? "/" : ""}`;
}

function canonicalQuery(query: string, how: SignedReading["query"]): string {
  if (query === "") return "";
  const pairs = query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const at = pair.indexOf("=");
      const [name, value] = at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
      return how === "sent"
        ? ([name, value] as const)
        : ([encode(decoded(name)), encode(decoded(value))] as const);
    })
    .filter(([name]) => name !== "X-Amz-Signature");
  return pairs
    .sort(([a, x], [b, y]) => (a === b ? compare(x, y) : compare(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function valuesOf(headers: readonly Header[], name: string): string {
  return headers
    .filter(([each]) => each.toLowerCase() === name)
    .map(([, value]) => value.trim().replace(/\s+/g, " "))
    .join(",");
}
