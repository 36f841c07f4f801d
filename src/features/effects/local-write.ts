// Computes a write's effect on an object where the API server is not asked: it knows neither
// defaults nor webhooks nor how lists are merged. Undefined where it would have to guess about the
// body itself.

import { readYamlBody } from "../../protocols/kubectl/body/yaml.ts";
import { isFields, type ObjectFields } from "../../protocols/kubectl/effect/normalise.ts";

/** The object after the write, and what to tell about how exact that is. */
export interface LocalWrite {
  readonly after: ObjectFields;
  readonly note: string;
}

const DEPTH_MAX = 100;
const BODY_MAX = 1024 * 1024;

/** Computes the write. `contentType` says what kind of patch it is. */
export function localWrite(
  action: "create" | "update" | "patch" | "apply",
  contentType: string,
  body: Uint8Array,
  live: ObjectFields | undefined,
): LocalWrite | undefined {
  if (body.length > BODY_MAX) return undefined;
  const given = parse(body);
  if (given === undefined) return undefined;
  if (action === "create" || action === "update")
    return isFields(given)
      ? { after: given, note: "computed by iddio, without defaults and webhooks" }
      : undefined;
  if (/^application\/json-patch\+json/i.test(contentType)) {
    const after = Array.isArray(given) && live !== undefined ? jsonPatch(live, given) : undefined;
    return after && { after, note: "computed by iddio, without defaults and webhooks" };
  }
  if (!isFields(given)) return undefined;
  const after = merge(live ?? {}, given, 0);
  const isExact = /^application\/merge-patch\+json/i.test(contentType);
  const lists = isExact ? "" : "; the server may merge lists where this shows them replaced";
  return isFields(after)
    ? { after, note: `computed by iddio, without defaults and webhooks${lists}` }
    : undefined;
}

function parse(body: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    const read = readYamlBody(text);
    return "trees" in read && read.trees.length === 1 ? plainOf(text) : undefined;
  }
}

/** YAML that has one reading only. */
function plainOf(text: string): unknown {
  try {
    return Bun.YAML.parse(text);
  } catch {
    // Protobuf, as typed clients send it.
    return undefined;
  }
}

/** RFC 7386. */
function merge(target: unknown, patch: unknown, depth: number): unknown {
  if (!isFields(patch) || depth > DEPTH_MAX) return patch;
  const result = new Map<string, unknown>(isFields(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch))
    if (value === null) result.delete(name);
    else result.set(name, merge(result.get(name), value, depth + 1));
  return Object.fromEntries(result);
}

/** RFC 6902 without move and copy, which are rare and then not shown; undefined where an operation does not fit. */
function jsonPatch(live: ObjectFields, operations: readonly unknown[]): ObjectFields | undefined {
  const root = { value: structuredClone(live) as unknown };
  for (const operation of operations) {
    if (!isFields(operation) || typeof operation.path !== "string") return undefined;
    const { op, path, value } = operation;
    if (op === "test") continue;
    if (op !== "add" && op !== "replace" && op !== "remove") return undefined;
    const names = path
      .split("/")
      .slice(1)
      .map((each) => each.replaceAll("~1", "/").replaceAll("~0", "~"));
    if (names.length === 0 || !put(root.value, names, op, value)) return undefined;
  }
  return isFields(root.value) ? root.value : undefined;
}

function put(
  root: unknown,
  names: readonly string[],
  op: "add" | "replace" | "remove",
  value: unknown,
): boolean {
  let at = root;
  for (const name of names.slice(0, -1)) {
    const next: unknown = Array.isArray(at)
      ? at[Number(name)]
      : isFields(at) && Object.hasOwn(at, name)
        ? at[name]
        : undefined;
    if (typeof next !== "object" || next === null) return false;
    at = next;
  }
  const last = names.at(-1) ?? "";
  if (last === "__proto__") return false;
  if (Array.isArray(at)) {
    const index = last === "-" ? at.length : Number(last);
    if (!Number.isInteger(index) || index < 0 || index > at.length) return false;
    at.splice(index, op === "add" ? 0 : 1, ...(op === "remove" ? [] : [value]));
    return true;
  }
  if (!isFields(at)) return false;
  const object = at as Record<string, unknown>;
  if (op === "remove") delete object[last];
  else object[last] = value;
  return true;
}
