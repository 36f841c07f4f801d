// The request that a `gh api` command line sends: endpoint, method, fields, headers. A body from a
// file or from standard input counts as unread. Knows no operation and no tier.

import type { Header, HttpRequest, RequestBody } from "../../model/request.ts";
import { lastValue } from "../argv.ts";
import type { GhCommand } from "./command.ts";

/** Fields by name; undefined for a value that is in a file. */
type Fields = ReadonlyMap<string, string | undefined>;

/** The request, or why it is not known. Placeholders such as `{owner}` stay as they are, being no names. */
export function ghApiRequest({ read, words }: GhCommand): HttpRequest | { readonly problem: string } {
  const [endpoint, ...rest] = words;
  if (endpoint === undefined || endpoint === "" || rest.length > 0)
    return { problem: "gh api takes one endpoint" };
  const target = targetOf(endpoint, lastValue(read, "hostname"));
  if (target === undefined) return { problem: "an endpoint that is neither a URL nor a path" };
  const headers = headersOf(read.flags.get("header") ?? []);
  const fields = fieldsOf(read.flags.get("raw-field") ?? [], read.flags.get("field") ?? []);
  if (headers === undefined || fields === undefined) return { problem: "a field or header without a value" };
  const hasInput = read.flags.has("input");
  const method = (lastValue(read, "method") ?? (hasInput || fields.size > 0 ? "POST" : "GET")).toUpperCase();
  const isInQuery = method === "GET" || hasInput;
  return {
    method,
    host: target.host,
    port: 443,
    target: isInQuery ? withQuery(target.target, fields) : target.target,
    headers,
    body: bodyOf(hasInput, isInQuery, endpoint === "graphql", fields),
  };
}

/** Host and target as gh makes them: github.com and ghe.com have hosts for the API, others a path. */
function targetOf(
  endpoint: string,
  hostname: string | undefined,
): { readonly host: string; readonly target: string } | undefined {
  const absolute = /^https?:\/\/([^/?#:@]+)(?::\d+)?([/?][^#]*)?$/i.exec(endpoint);
  if (absolute !== null)
    return { host: (absolute[1] ?? "").toLowerCase(), target: absolute[2]?.replace(/^\?/, "/?") ?? "/" };
  if (endpoint.includes("://") || endpoint.includes("#")) return undefined;
  const host = (hostname ?? "github.com").toLowerCase();
  const path = endpoint.replace(/^\//, "");
  const tenant = /^(?:api\.)?([a-z0-9-]+\.ghe\.com|github\.com)$/.exec(host)?.[1];
  if (tenant !== undefined) return { host: `api.${tenant}`, target: `/${path}` };
  return { host, target: path === "graphql" ? "/api/graphql" : `/api/v3/${path}` };
}

function headersOf(given: readonly string[]): readonly Header[] | undefined {
  const headers: Header[] = [];
  for (const text of given) {
    const colon = text.indexOf(":");
    if (colon < 0) return undefined;
    headers.push([text.slice(0, colon), text.slice(colon + 1).trim()]);
  }
  return headers;
}

/** Raw fields first, as gh reads them, so that a later one of the same name wins. */
function fieldsOf(raw: readonly string[], magic: readonly string[]): Fields | undefined {
  const fields = new Map<string, string | undefined>();
  for (const [text, isMagic] of [
    ...raw.map((one) => [one, false] as const),
    ...magic.map((one) => [one, true] as const),
  ]) {
    const equals = text.indexOf("=");
    if (equals < 0) return undefined;
    const value = text.slice(equals + 1);
    // Given twice, releases of gh differ on which counts.
    const name = text.slice(0, equals);
    fields.set(name, (isMagic && value.startsWith("@")) || fields.has(name) ? undefined : value);
  }
  return fields;
}

function withQuery(target: string, fields: Fields): string {
  if (fields.size === 0) return target;
  const pairs = [...fields].map(([name, value]) => `${encode(name)}=${encode(value ?? "")}`);
  return `${target}${target.includes("?") ? "&" : "?"}${pairs.join("&")}`;
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function bodyOf(hasInput: boolean, isInQuery: boolean, isGraphql: boolean, fields: Fields): RequestBody {
  if (hasInput) return { kind: "unread", why: "it is in a file" };
  if (isInQuery || fields.size === 0) return { kind: "none" };
  const top: Record<string, unknown> = {};
  const variables: Record<string, unknown> = {};
  for (const [name, value] of fields)
    if (!isGraphql) top[name.replace(/\[.*$/s, "")] = value ?? null;
    else if (name === "query" || name === "operationName") {
      if (value === undefined)
        return { kind: "unread", why: `the field '${name}' is in a file or comes twice` };
      top[name] = value;
    } else if (value !== undefined) variables[name] = value;
  const sent = isGraphql ? { ...top, variables } : top;
  return { kind: "whole", bytes: new TextEncoder().encode(JSON.stringify(sent)) };
}
