// One row of `classify batch` in, one answer out. Rows come from anybody: a malformed row gets tier
// unknown with the reason, and nothing here throws. The URL is taken apart by hand because every
// URL library normalises paths, and the path as sent is what classifiers judge.

import type { Classification } from "../model/classification.ts";
import { isProtocol, type Protocol } from "../model/protocol.ts";
import type { Header, HttpRequest, RequestBody } from "../model/request.ts";
import type { TierOrUnknown } from "../model/tier.ts";
import { inQuotes } from "../text/in-quotes.ts";
import { classifierFor, classifierForProgram, guessProtocol } from "./registry.ts";
import { unknownClassification } from "./unknown.ts";

/** One row of `classify batch`'s output. */
export interface BatchAnswer {
  /** As given, whatever its type; null when the row has none. */
  readonly id: unknown;
  readonly protocol: Protocol;
  readonly tier: TierOrUnknown;
  readonly command: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly reason: string;
}

/** Removes content codings; undefined when they cannot be removed. */
export type DecodeBody = (headers: readonly Header[], bytes: Uint8Array) => Uint8Array | undefined;

/** Classifies `{id, protocol?, method, url, headers?, body? | body_b64?}` or `{id, argv}`. Never throws. */
export function classifyRow(row: unknown, decodeBody: DecodeBody): BatchAnswer {
  const id = isObject(row) ? (row.id ?? null) : null;
  const { protocol, tier, command, labels, reason } = classifyOrExplain(row, decodeBody);
  return { id, protocol, tier, command, labels, reason };
}

/** An absolute URL split without normalising anything: target is path and query as written. */
export function splitUrl(
  url: string,
): { readonly host: string; readonly port: number; readonly target: string } | { readonly problem: string } {
  const match = /^(https?):\/\/([^/?#]*)([^#]*)$/i.exec(url);
  if (match === null) return { problem: "the url is not absolute http or https, or has a fragment" };
  const [, scheme = "", authority = "", rest = ""] = match;
  if (/[\x00-\x20\x7f]/.test(url)) return { problem: "the url holds spaces or control characters" };
  const parts = /^(?:\[([0-9a-f:.]+)\]|([^:@[\]]+))(?::(\d{1,5}))?$/i.exec(authority);
  if (parts === null)
    return { problem: `the url's authority '${authority}' is not a host with an optional port` };
  const host = (parts[1] ?? parts[2] ?? "").toLowerCase().replace(/\.$/, "");
  const port = parts[3] === undefined ? (scheme.toLowerCase() === "https" ? 443 : 80) : Number(parts[3]);
  if (host === "" || port < 1 || port > 65535)
    return { problem: `the url's authority '${authority}' is out of range` };
  return { host, port, target: rest.startsWith("/") ? rest : `/${rest}` };
}

function classifyOrExplain(row: unknown, decodeBody: DecodeBody): Classification {
  if (!isObject(row)) return unknownClassification("generic", "the row is not an object");
  const given = row.protocol;
  if (given !== undefined && !isProtocol(given))
    return unknownClassification(
      "generic",
      `unknown protocol ${typeof given === "string" ? inQuotes(given) : JSON.stringify(given)}`,
    );
  try {
    if (row.argv !== undefined) return classifyArgvRow(row.argv, given);
    const request = readRequest(row, decodeBody);
    if ("problem" in request) return unknownClassification(given ?? "generic", request.problem);
    return classifierFor(given ?? guessProtocol(request.host)).classify(request);
  } catch (error) {
    // Classifiers do not throw; should one, its row alone is unknown and the batch goes on.
    return unknownClassification(given ?? "generic", `the classifier failed: ${String(error)}`);
  }
}

function classifyArgvRow(argv: unknown, given: Protocol | undefined): Classification {
  if (!Array.isArray(argv) || !argv.every((word) => typeof word === "string") || argv.length === 0)
    return unknownClassification(given ?? "generic", "argv is not a list of words");
  const program = argv[0] ?? "";
  const classifier = classifierForProgram(program);
  if (classifier === undefined)
    return unknownClassification(given ?? "generic", `no classifier reads the program '${program}'`);
  return classifier.classifyArgv(argv);
}

function readRequest(
  row: Readonly<Record<string, unknown>>,
  decodeBody: DecodeBody,
): HttpRequest | { readonly problem: string } {
  const { method, url } = row;
  if (typeof method !== "string" || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method))
    return { problem: "the method is not a token" };
  if (typeof url !== "string") return { problem: "the url is not a text" };
  const split = splitUrl(url);
  if ("problem" in split) return split;
  const headers = readHeaders(row.headers);
  if (headers === undefined) return { problem: "headers are neither an object nor a list of pairs" };
  return { method, ...split, headers, body: readBody(row, headers, decodeBody) };
}

function readHeaders(given: unknown): readonly Header[] | undefined {
  if (given === undefined || given === null) return [];
  const pairs: unknown[] = Array.isArray(given)
    ? given
    : isObject(given)
      ? Object.entries(given)
      : [undefined];
  const headers: Header[] = [];
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string") return undefined;
    const values: unknown[] = Array.isArray(pair[1]) ? pair[1] : [pair[1]];
    for (const value of values) {
      if (typeof value !== "string" && typeof value !== "number") return undefined;
      headers.push([pair[0], String(value)]);
    }
  }
  return headers;
}

function readBody(
  row: Readonly<Record<string, unknown>>,
  headers: readonly Header[],
  decodeBody: DecodeBody,
): RequestBody {
  const bytes = bodyBytes(row);
  if (bytes === undefined) return { kind: "none" };
  if (bytes === "bad") return { kind: "unread", why: "the row's body could not be read" };
  const decoded = decodeBody(headers, bytes);
  if (decoded === undefined) return { kind: "unread", why: "its content coding could not be removed" };
  return { kind: "whole", bytes: decoded };
}

function bodyBytes(row: Readonly<Record<string, unknown>>): Uint8Array | "bad" | undefined {
  const { body, body_b64: base64 } = row;
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body !== undefined && body !== null) return "bad";
  if (base64 === undefined || base64 === null) return undefined;
  if (typeof base64 !== "string") return "bad";
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return "bad";
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
