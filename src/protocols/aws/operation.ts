// Finds the operation that a request names, in every way that AWS's protocols have: X-Amz-Target,
// Action in query or form body, Smithy RPC paths, REST bindings. Knows no tiers. A request that
// could be read in two ways names nothing: servers differ in which they look at first. Its possible
// meanings are kept, so that doubt hides nothing.

import { type Header, headerValues, type RequestBody } from "../../model/request.ts";
import { parseQuery, readPathSplitFirst } from "../../wire/path.ts";
import { decodeLoosely, lenientReadings } from "../lenient-path.ts";
import { actionsIn, readAction } from "./action.ts";
import type { AwsApi, AwsOperation } from "./catalogue.ts";
import { type AwsGroup, operationsNamed } from "./group.ts";

/**
 * The result: operations that cannot be told apart, or the reason why none was found and those that are
 * possible all the same.
 */
export type OperationReading =
  | { readonly kind: "found"; readonly operations: readonly AwsOperation[] }
  | { readonly kind: "unknown"; readonly reason: string; readonly possible: readonly AwsOperation[] };

/** The parts of a request that can name an operation. */
export interface OperationSource {
  readonly method: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly headers: readonly Header[];
  readonly body: RequestBody;
}

/** Reads the operation of a request to a host that these APIs share. */
export function readOperation(source: OperationSource, group: AwsGroup): OperationReading {
  const targets = headerValues(source.headers, "x-amz-target");
  const rpc = RPC_PATH.exec(source.path);
  if (targets.length > 0) return readTarget(targets, rpc !== null, source, group);
  if (rpc !== null && !(group.hasRest && matchRest(source, group).kind === "found"))
    return readRpc(rpc, source, group);
  if (speaksQuery(source, group)) return readQueryProtocol(source, group);
  if (!group.hasRest) return unknown("no X-Amz-Target");
  const rest = matchRest(source, group);
  if (group.hasQuery && ACTION.test(source.query ?? "")) {
    const actions = operationsNamed(group.apis, actionsIn(source.query ?? ""));
    return unknown("both an Action and a REST path", [...actions, ...operationsOf(rest)]);
  }
  return rest;
}

/** Whether only the body can tell the operation, or prove that there is no second one in it. */
export function operationNeedsBody(source: Omit<OperationSource, "body">, group: AwsGroup): boolean {
  if (headerValues(source.headers, "x-amz-target").length > 0 || RPC_PATH.test(source.path)) return false;
  return speaksQuery(source, group) && (source.method === "POST" || announcesBody(source.headers));
}

const RPC_PATH = /^\/service\/([^/]+)\/operation\/([^/]+)$/;
const ACTION = /(?:^|&)action=/i;
const JSON_TYPE = /^application\/(?:x-amz-json-1\.[01]|json|x-amz-cbor-1\.1|cbor)\s*(?:;|$)/i;

/** Hosts with REST bindings keep the query protocol to the root. */
function speaksQuery({ path }: Pick<OperationSource, "path">, group: AwsGroup): boolean {
  if (!group.hasQuery) return false;
  return path === "/" || path === "" || !group.hasRest;
}

function announcesBody(headers: readonly Header[]): boolean {
  return (
    headerValues(headers, "transfer-encoding").length > 0 ||
    headerValues(headers, "content-length").some((length) => length.trim() !== "0")
  );
}

function unknown(reason: string, possible: readonly AwsOperation[] = []): OperationReading {
  return { kind: "unknown", reason, possible };
}

function operationsOf(reading: OperationReading): readonly AwsOperation[] {
  return reading.kind === "found" ? reading.operations : reading.possible;
}

/** `<prefix>.<Operation>`; the prefix must be one of the host's, or end with one (CloudTrail's has a package name). */
function readTarget(
  targets: readonly string[],
  isRpc: boolean,
  source: OperationSource,
  group: AwsGroup,
): OperationReading {
  const [target = "", second] = targets;
  const doubt = (reason: string) => {
    const names = targets.map((one) => one.slice(one.lastIndexOf(".") + 1));
    if (source.body.kind === "whole" && group.hasQuery)
      names.push(...actionsIn(new TextDecoder("latin1").decode(source.body.bytes)));
    return unknown(reason, operationsNamed(group.apis, [...names, ...actionsIn(source.query ?? "")]));
  };
  if (second !== undefined) return doubt("two X-Amz-Target fields");
  if (isRpc) return doubt("X-Amz-Target on an RPC path");
  if (source.method !== "POST") return doubt("X-Amz-Target without POST");
  const speaking = group.apis.filter((api) => api.hasJson);
  if (speaking.length === 0) return doubt("X-Amz-Target at an API that does not use it");
  const types = headerValues(source.headers, "content-type");
  // A host that speaks both protocols may look at the content type first.
  if (group.hasQuery ? types.length !== 1 || !JSON_TYPE.test(types[0]?.trim() ?? "") : types.some(isForm))
    return doubt("X-Amz-Target with another content type than JSON");
  if (source.query !== undefined && ACTION.test(source.query))
    return doubt("both X-Amz-Target and an Action");
  const dot = Math.max(target.lastIndexOf("."), 0);
  const prefix = target.slice(0, dot);
  const known = speaking.filter((api) =>
    api.targets.some((one) => prefix === one || prefix.endsWith(`.${one}`)),
  );
  return named(known, target.slice(dot + 1), `X-Amz-Target ${target}`);
}

function isForm(type: string): boolean {
  return /x-www-form-urlencoded/i.test(type);
}

function readRpc(rpc: RegExpExecArray, source: OperationSource, group: AwsGroup): OperationReading {
  const [, service = "", name = ""] = rpc;
  const known = group.apis.filter((api) => api.targets.includes(service));
  const reading = named(known, name, `${service}.${name}`);
  if (source.method !== "POST") return unknown("an RPC path without POST", operationsOf(reading));
  if (!ACTION.test(source.query ?? "")) return reading;
  const actions = operationsNamed(group.apis, actionsIn(source.query ?? ""));
  return unknown("both an RPC path and an Action", [...operationsOf(reading), ...actions]);
}

function readQueryProtocol(source: OperationSource, group: AwsGroup): OperationReading {
  const isBodyless = source.method !== "POST" && !announcesBody(source.headers);
  const action = readAction(isBodyless ? { ...source, body: { kind: "none" } } : source);
  const speaking = group.apis.filter((api) => api.hasQuery);
  if (action.kind === "unknown") return unknown(action.reason, operationsNamed(group.apis, action.names));
  return named(speaking, action.name, `Action=${action.name}`);
}

function named(apis: readonly AwsApi[], name: string, what: string): OperationReading {
  const operations = operationsNamed(apis, [name]);
  return operations.length > 0
    ? { kind: "found", operations }
    : unknown(`unknown operation ${printable(what)}`);
}

/** Names come from the request: short, and nothing that a terminal would interpret. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 80);
}

function matchRest(source: OperationSource, group: AwsGroup): OperationReading {
  const index = group.templates;
  const path = readPathSplitFirst(source.path);
  if (path.kind === "ambiguous") {
    const possible = lenientReadings(source.path).flatMap((segments) =>
      index.possible(source.method, segments, looseQuery(source.query)),
    );
    return unknown(path.reason, possible);
  }
  const match = index.match(source.method, path.segments, () => parseQuery(source.query));
  if (match.kind === "found") return match;
  if (match.kind === "none") return unknown("no operation has this method and path");
  const possible = index.possible(source.method, path.segments, looseQuery(source.query));
  return unknown("the query selects more than one operation", possible);
}

/** The pairs of a query that is too malformed to rely on; only for its possible meanings. */
export function looseQuery(query: string | undefined): readonly (readonly [string, string])[] {
  return (query ?? "").split(/[&;]/).map((pair) => {
    const [key = "", value = ""] = decodeLoosely(pair).split("=");
    return [key, value] as const;
  });
}
