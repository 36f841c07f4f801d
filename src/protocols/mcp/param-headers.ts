// The headers `Mcp-Param-…` of 2026-07-28, which repeat arguments for whatever stands between
// client and server: what they say must be what the body says, by the tool's own schema
// (`x-mcp-header`). Pure.

import { isObject, type JsonObject } from "../../wire/jsonrpc/message.ts";
import { decodedHeader } from "./era.ts";

const PREFIX = "mcp-param-";
/** Arguments of arguments that are looked at. */
const DEPTH_MAX = 20;

/** Why such a header and the arguments do not agree, in a clause; undefined when they all do. `schemaOf`: of the tool. */
export function paramHeaderProblem(
  headers: Iterable<readonly [name: string, value: string]>,
  schemaOf: () => unknown,
  params: JsonObject,
): string | undefined {
  let declared: ReadonlyMap<string, readonly string[]> | undefined;
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (!lower.startsWith(PREFIX)) continue;
    declared ??= declaredIn(schemaOf());
    const path = declared.get(lower.slice(PREFIX.length));
    if (path === undefined) return `${name.slice(0, 80)} repeats no argument of the tool`;
    const said = decodedHeader(value);
    const given = valueAt(params.arguments, path);
    const isText = typeof given === "string" || typeof given === "number" || typeof given === "boolean";
    if (!isText || said !== String(given))
      return `${name.slice(0, 80)} and the body name different arguments`;
  }
  return undefined;
}

function declaredIn(schema: unknown): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const look = (node: unknown, path: readonly string[]): void => {
    if (!isObject(node) || path.length > DEPTH_MAX) return;
    const header = node["x-mcp-header"];
    if (typeof header === "string" && path.length > 0) found.set(header.toLowerCase(), path);
    if (isObject(node.properties))
      for (const [name, inner] of Object.entries(node.properties)) look(inner, [...path, name]);
  };
  look(schema, []);
  return found;
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  let value = root;
  for (const name of path) value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return value;
}
