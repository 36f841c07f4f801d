// The patch formats of the API: JSON patch (RFC 6902), merge patch (RFC 7386) and strategic merge,
// the latter with the merge keys that the common types have.

import { badRequest } from "../api-error.ts";
import { copy, type Fields, isFields } from "./kube-object.ts";

/** Applies an RFC 6902 patch; a failed test or path is a 4xx. */
export function jsonPatch(target: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations)) throw badRequest("error decoding patch: not a JSON patch array");
  let document = copy(target);
  for (const operation of operations as Fields[]) document = applyOperation(document, operation);
  return document;
}

function applyOperation(document: unknown, operation: Fields): unknown {
  const path = pointer(operation.path);
  switch (operation.op) {
    case "add":
      return setAt(document, path, copy(operation.value), true);
    case "replace":
      lookAt(document, path);
      return setAt(document, path, copy(operation.value), false);
    case "remove":
      lookAt(document, path);
      return removeAt(document, path);
    case "move": {
      const value = lookAt(document, pointer(operation.from));
      return setAt(removeAt(document, pointer(operation.from)), path, value, true);
    }
    case "copy":
      return setAt(document, path, copy(lookAt(document, pointer(operation.from))), true);
    case "test":
      if (JSON.stringify(lookAt(document, path)) !== JSON.stringify(operation.value))
        throw badRequest(`the server rejected our request: testing path ${String(operation.path)} failed`);
      return document;
    default:
      throw badRequest(`unexpected kind: ${String(operation.op)}`);
  }
}

function pointer(text: unknown): string[] {
  return String(text)
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function lookAt(document: unknown, path: readonly string[]): unknown {
  let at = document;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !(key in at))
      throw badRequest(`the server rejected our request: missing path /${path.join("/")}`);
    at = (at as Fields)[key];
  }
  return at;
}

function setAt(document: unknown, path: readonly string[], value: unknown, insert: boolean): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = lookAt(document, path.slice(0, -1));
  if (!Array.isArray(parent)) (parent as Fields)[last] = value;
  else if (last === "-") parent.push(value);
  else parent.splice(Number(last), insert ? 0 : 1, value);
  return document;
}

function removeAt(document: unknown, path: readonly string[]): unknown {
  const parent = lookAt(document, path.slice(0, -1));
  const last = path.at(-1) ?? "";
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete (parent as Fields)[last];
  return document;
}

/** Applies an RFC 7386 patch. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return copy(patch);
  const merged: Fields = isFields(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** Which key identifies the members of a list field; fields that are not listed are replaced whole. */
const MERGE_KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ["name"],
  initContainers: ["name"],
  ephemeralContainers: ["name"],
  env: ["name"],
  volumes: ["name"],
  volumeMounts: ["mountPath"],
  ports: ["containerPort", "port"],
  conditions: ["type"],
  imagePullSecrets: ["name"],
  secrets: ["name"],
  ownerReferences: ["uid"],
  hostAliases: ["ip"],
};

/** The key by which a list field's members are matched, or undefined when the list is atomic. */
export function mergeKeyOf(field: string, members: readonly unknown[]): string | undefined {
  return MERGE_KEYS[field]?.find((key) => members.some((member) => isFields(member) && key in member));
}

/** Applies a strategic merge patch with `$patch`, `$retainKeys`, `$setElementOrder` and `$deleteFromPrimitiveList`. */
export function strategicPatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return copy(patch);
  if (patch.$patch === "delete") return undefined;
  if (patch.$patch === "replace") return withoutDirectives(patch);
  const merged: Fields = isFields(target) ? { ...target } : {};
  if (Array.isArray(patch.$retainKeys))
    for (const key of Object.keys(merged)) if (!patch.$retainKeys.includes(key)) delete merged[key];
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith("$deleteFromPrimitiveList/")) removeMembers(merged, key.split("/")[1] ?? "", value);
    if (key.startsWith("$")) continue;
    const next = value === null ? undefined : mergeField(key, merged[key], value);
    if (next === undefined) delete merged[key];
    else merged[key] = next;
  }
  return merged;
}

function removeMembers(target: Fields, field: string, gone: unknown): void {
  const list = target[field];
  if (Array.isArray(list) && Array.isArray(gone)) target[field] = list.filter((item) => !gone.includes(item));
}

function mergeField(field: string, current: unknown, value: unknown): unknown {
  if (!Array.isArray(value)) return strategicPatch(current, value);
  const key = mergeKeyOf(field, value);
  if (field === "finalizers" && Array.isArray(current)) return [...new Set([...current, ...value])];
  if (key === undefined) return copy(value);
  const list = Array.isArray(current) ? [...(current as Fields[])] : [];
  for (const item of value as Fields[]) {
    if (item.$patch === "replace" && !(key in item)) {
      list.length = 0;
      continue;
    }
    const at = list.findIndex((member) => member[key] === item[key]);
    const next = strategicPatch(at < 0 ? undefined : list[at], item) as Fields | undefined;
    if (next === undefined) {
      if (at >= 0) list.splice(at, 1);
    } else if (at < 0) list.push(next);
    else list[at] = next;
  }
  return list;
}

function withoutDirectives(value: Fields): Fields {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith("$")));
}
