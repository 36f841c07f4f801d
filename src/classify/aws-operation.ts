// Finds the operation that a request names, in every way that AWS's protocols have: X-Amz-Target, Action in query or
// form body, Smithy RPC paths, REST bindings. Knows no tiers. A request that could be read in two ways names nothing:
// servers differ in which they look at first, and nobody but an attacker sends both.

import { type Header, headerValues, type RequestBody } from "../model/request.ts";
import { parseQuery, readPathSplitFirst } from "../wire/path.ts";
import { readAction } from "./aws-action.ts";
import type { AwsApi, AwsOperation } from "./aws-catalogue.ts";
import { TemplateIndex } from "./aws-template.ts";

/** What was found: operations that cannot be told apart, or why nothing was. */
export type OperationReading =
  | { readonly kind: "found"; readonly operations: readonly AwsOperation[] }
  | { readonly kind: "unknown"; readonly reason: string };

/** What of a request can name an operation. */
export interface OperationSource {
  readonly method: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly headers: readonly Header[];
  readonly body: RequestBody;
}

/** Reads the operation of a request to a host that these APIs share. */
export function readOperation(source: OperationSource, apis: readonly AwsApi[]): OperationReading {
  const targets = headerValues(source.headers, "x-amz-target");
  const rpc = RPC_PATH.exec(source.path);
  if (targets.length > 0) {
    if (targets.length > 1) return unknown("two X-Amz-Target fields");
    if (rpc !== null) return unknown("X-Amz-Target on an RPC path");
    return readTarget(targets[0] ?? "", source, apis);
  }
  const hasQuery = apis.some((api) => api.hasQuery);
  const hasRest = apis.some((api) => api.hasRest);
  if (rpc !== null && !(hasRest && matchRest(source, apis).kind === "found"))
    return readRpc(rpc, source, apis);
  const isRoot = source.path === "/" || source.path === "";
  if (hasQuery && (isRoot || !hasRest)) return readQueryProtocol(source, apis);
  if (hasRest) {
    if (hasQuery && source.query !== undefined && /(?:^|&)action=/i.test(source.query))
      return unknown("both an Action and a REST path");
    return matchRest(source, apis);
  }
  return unknown("no X-Amz-Target");
}

/** Whether only the body can tell the operation, or prove that there is no second one in it. */
export function operationNeedsBody(source: Omit<OperationSource, "body">, apis: readonly AwsApi[]): boolean {
  if (source.method !== "POST" || !apis.some((api) => api.hasQuery)) return false;
  if (headerValues(source.headers, "x-amz-target").length > 0 || RPC_PATH.test(source.path)) return false;
  return source.path === "/" || source.path === "" || !apis.some((api) => api.hasRest);
}

const RPC_PATH = /^\/service\/([^/]+)\/operation\/([^/]+)$/;

function unknown(reason: string): OperationReading {
  return { kind: "unknown", reason };
}

/** `<prefix>.<Operation>`; the prefix must be one of the host's, or end with one (CloudTrail's has a package name). */
function readTarget(target: string, source: OperationSource, apis: readonly AwsApi[]): OperationReading {
  if (source.method !== "POST") return unknown("X-Amz-Target without POST");
  const speaking = apis.filter((api) => api.hasJson);
  if (speaking.length === 0) return unknown("X-Amz-Target at an API that does not use it");
  if (apis.some((api) => api.hasQuery)) {
    // A host that speaks both protocols decides by one of the three; so they must agree.
    const type = headerValues(source.headers, "content-type");
    if (
      type.length > 1 ||
      !/^application\/(?:x-amz-json-1\.[01]|json|x-amz-cbor-1\.1|cbor)\s*(?:;|$)/i.test(type[0] ?? "")
    )
      return unknown("X-Amz-Target with another content type than JSON");
  } else if (headerValues(source.headers, "content-type").some((type) => /x-www-form-urlencoded/i.test(type)))
    return unknown("X-Amz-Target with a form body");
  if (source.query !== undefined && /(?:^|&)action=/i.test(source.query))
    return unknown("both X-Amz-Target and an Action");
  const dot = target.lastIndexOf(".");
  const prefix = target.slice(0, Math.max(dot, 0));
  const name = target.slice(dot + 1);
  const known = speaking.filter((api) =>
    api.targets.some((one) => prefix === one || prefix.endsWith(`.${one}`)),
  );
  return named(known, name, `X-Amz-Target ${target}`);
}

function readRpc(rpc: RegExpExecArray, source: OperationSource, apis: readonly AwsApi[]): OperationReading {
  if (source.method !== "POST") return unknown("an RPC path without POST");
  if (source.query !== undefined && /(?:^|&)action=/i.test(source.query))
    return unknown("both an RPC path and an Action");
  const [, service = "", name = ""] = rpc;
  const known = apis.filter((api) => api.targets.includes(service));
  return named(known, name, `${service}.${name}`);
}

function readQueryProtocol(source: OperationSource, apis: readonly AwsApi[]): OperationReading {
  const action = readAction(source);
  if (action.kind === "unknown") return action;
  const speaking = apis.filter((api) => api.hasQuery);
  return named(speaking, action.name, `Action=${action.name}`);
}

function named(apis: readonly AwsApi[], name: string, what: string): OperationReading {
  const operations: AwsOperation[] = [];
  for (const api of apis) {
    const operation = api.operations().get(name);
    if (operation !== undefined) operations.push(operation);
  }
  return operations.length > 0
    ? { kind: "found", operations }
    : unknown(`unknown operation ${printable(what)}`);
}

/** Names come from the request: short, and nothing that a terminal would interpret. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 80);
}

const INDEXES = new Map<string, TemplateIndex>();

/** The tree for a group of APIs, made at the first request to them. */
export function templatesOf(apis: readonly AwsApi[]): TemplateIndex {
  const key = apis.length === 1 ? (apis[0]?.cli ?? "") : apis.map((api) => api.cli).join();
  let index = INDEXES.get(key);
  if (index === undefined) {
    index = new TemplateIndex(apis);
    INDEXES.set(key, index);
  }
  return index;
}

function matchRest(source: OperationSource, apis: readonly AwsApi[]): OperationReading {
  const path = readPathSplitFirst(source.path);
  if (path.kind === "ambiguous") return unknown(path.reason);
  const match = templatesOf(apis).match(source.method, path.segments, () => parseQuery(source.query));
  switch (match.kind) {
    case "found":
      return match;
    case "ambiguous":
      return unknown("the query selects more than one operation");
    case "none":
      return unknown("no operation has this method and path");
  }
}
