// Server-side apply, reduced to what a client can see of it: fields that a manager stops applying
// go away, fields that another manager set are a conflict unless forced, and managedFields says who
// owns what.

import { ApiError } from "../api-error.ts";
import { copy, type Fields, isFields, type KubeObject } from "./kube-object.ts";
import { mergeKeyOf } from "./patch.ts";
import { timestamp } from "./store.ts";

interface ManagedEntry {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly time: string;
  readonly fieldsType: "FieldsV1";
  readonly fieldsV1: Fields;
  readonly subresource?: string;
}

const UNMANAGED = new Set(["apiVersion", "kind", "metadata", "status"]);
const MANAGED_METADATA = ["labels", "annotations", "finalizers", "ownerReferences"];

/** The object after `applied` was applied by `manager`; `current` is undefined when it does not exist yet. */
export function applyObject(
  current: KubeObject | undefined,
  applied: KubeObject,
  options: { readonly manager: string; readonly force: boolean },
): KubeObject {
  const fields = ownedFields(applied);
  const entries = (current?.metadata.managedFields ?? []) as ManagedEntry[];
  const result = current === undefined ? copy(applied) : copy(current);
  if (current !== undefined) {
    if (!options.force) refuseConflicts(current, applied, fields, entries, options.manager);
    const before = entries.find((entry) => entry.manager === options.manager && entry.operation === "Apply");
    if (before !== undefined) removeAbandoned(result, before.fieldsV1, fields);
    merge(result as Fields, withoutIdentity(applied));
  }
  const kept = entries.filter((entry) => entry.manager !== options.manager || entry.operation !== "Apply");
  const mine: ManagedEntry = entryOf(applied.apiVersion, options.manager, "Apply", fields);
  const others = options.force
    ? kept.map((entry) => ({ ...entry, fieldsV1: subtract(entry.fieldsV1, fields) }))
    : kept;
  result.metadata.managedFields = [mine, ...others];
  return result;
}

/** Records that `manager` wrote these fields with a create, update or patch. */
export function recordUpdate(object: KubeObject, previous: KubeObject | undefined, manager: string): void {
  const fields = changedFields(ownedFields(object), object, previous);
  const entries = (previous?.metadata.managedFields ?? []) as ManagedEntry[];
  const before = entries.find((entry) => entry.manager === manager && entry.operation === "Update");
  if (before !== undefined) merge(fields, before.fieldsV1);
  const mine = entryOf(object.apiVersion, manager, "Update", fields);
  const unchanged = JSON.stringify(before?.fieldsV1) === JSON.stringify(mine.fieldsV1);
  const others = entries.filter((entry) => entry !== before);
  object.metadata.managedFields = [...others, unchanged && before !== undefined ? before : mine];
}

function entryOf(apiVersion: string, manager: string, operation: "Apply" | "Update", fieldsV1: Fields) {
  return { manager, operation, apiVersion, time: timestamp(), fieldsType: "FieldsV1" as const, fieldsV1 };
}

/** The FieldsV1 set of all that an object states. */
function ownedFields(object: KubeObject): Fields {
  const metadata = Object.fromEntries(
    MANAGED_METADATA.filter((key) => object.metadata[key] !== undefined).map((key) => [
      key,
      object.metadata[key],
    ]),
  );
  const body = Object.fromEntries(Object.entries(object).filter(([key]) => !UNMANAGED.has(key)));
  return fieldSet({ ...(Object.keys(metadata).length > 0 ? { metadata } : {}), ...body }, "");
}

function fieldSet(value: unknown, field: string): Fields {
  const set: Fields = {};
  if (Array.isArray(value)) {
    const key = mergeKeyOf(field, value);
    if (key !== undefined)
      for (const item of value as Fields[])
        set[`k:${JSON.stringify({ [key]: item[key] })}`] = { ".": {}, ...fieldSet(item, "") };
  } else if (isFields(value))
    for (const [name, member] of Object.entries(value)) set[`f:${name}`] = fieldSet(member, name);
  return set;
}

/** The member that a FieldsV1 key means, in an object or list. */
function memberOf(value: unknown, key: string): unknown {
  if (key.startsWith("f:")) return isFields(value) ? value[key.slice(2)] : undefined;
  if (!key.startsWith("k:") || !Array.isArray(value)) return undefined;
  const [[name, wanted] = ["", undefined]] = Object.entries(JSON.parse(key.slice(2)) as Fields);
  return (value as Fields[]).find((item) => item[name] === wanted);
}

function changedFields(fields: Fields, object: unknown, previous: unknown): Fields {
  const changed: Fields = {};
  for (const [key, inner] of Object.entries(fields)) {
    const now = memberOf(object, key);
    const then = memberOf(previous, key);
    if (key === "." || JSON.stringify(now) === JSON.stringify(then)) continue;
    changed[key] = changedFields(inner as Fields, now, then);
  }
  return changed;
}

function leaves(fields: Fields, path: readonly string[] = []): string[][] {
  const keys = Object.keys(fields).filter((key) => key !== ".");
  if (keys.length === 0) return [[...path]];
  return keys.flatMap((key) => leaves(fields[key] as Fields, [...path, key]));
}

/** Whether the path is in the set and ends there: who owns `data.a` does not own `data`. */
function endsAt(fields: Fields, path: readonly string[]): boolean {
  let at: unknown = fields;
  for (const key of path) {
    if (!isFields(at) || !(key in at)) return false;
    at = at[key];
  }
  return isFields(at) && Object.keys(at).every((key) => key === ".");
}

function valueByFields(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(memberOf, object);
}

function refuseConflicts(
  current: KubeObject,
  applied: KubeObject,
  fields: Fields,
  entries: readonly ManagedEntry[],
  manager: string,
): void {
  const causes: Fields[] = [];
  for (const entry of entries) {
    if (entry.manager === manager && entry.operation === "Apply") continue;
    for (const path of leaves(fields)) {
      if (path.length === 0 || !endsAt(entry.fieldsV1, path)) continue;
      if (JSON.stringify(valueByFields(current, path)) === JSON.stringify(valueByFields(applied, path)))
        continue;
      const field = path
        .map((key) => (key.startsWith("f:") ? `.${key.slice(2)}` : `[${key.slice(2)}]`))
        .join("");
      const using = entry.operation === "Update" ? ` using ${entry.apiVersion}` : "";
      causes.push({
        reason: "FieldManagerConflict",
        message: `conflict with "${entry.manager}"${using}`,
        field,
      });
    }
  }
  if (causes.length === 0) return;
  const what = causes.map((cause) => `${String(cause.message)}: ${String(cause.field)}`).join("\n");
  const count = causes.length === 1 ? "1 conflict" : `${causes.length} conflicts`;
  throw new ApiError(409, "Conflict", `Apply failed with ${count}: ${what}`, { causes });
}

function removeAbandoned(object: unknown, before: Fields, now: Fields): void {
  for (const [key, inner] of Object.entries(before)) {
    if (key === ".") continue;
    const member = memberOf(object, key);
    if (member === undefined) continue;
    if (key in now) removeAbandoned(member, inner as Fields, now[key] as Fields);
    else if (key.startsWith("f:")) delete (object as Fields)[key.slice(2)];
    else (object as unknown[]).splice((object as unknown[]).indexOf(member), 1);
  }
}

function merge(target: Fields, source: Fields): void {
  for (const [key, value] of Object.entries(source)) {
    const current = target[key];
    if (isFields(current) && isFields(value)) merge(current, value);
    else if (Array.isArray(current) && Array.isArray(value)) target[key] = mergeLists(key, current, value);
    else target[key] = copy(value);
  }
}

function mergeLists(field: string, current: unknown[], value: unknown[]): unknown[] {
  const key = mergeKeyOf(field, value);
  if (key === undefined) return copy(value);
  const list = [...(current as Fields[])];
  for (const item of value as Fields[]) {
    const member = list.find((candidate) => candidate[key] === item[key]);
    if (member === undefined) list.push(copy(item));
    else merge(member, item);
  }
  return list;
}

function withoutIdentity(applied: KubeObject): Fields {
  const { managedFields: _, ...metadata } = applied.metadata;
  return { ...applied, metadata };
}

function subtract(fields: Fields, gone: Fields): Fields {
  const rest: Fields = {};
  for (const [key, inner] of Object.entries(fields)) {
    if (!(key in gone)) rest[key] = inner;
    else if (Object.keys(gone[key] as Fields).length > 0 && key !== ".") {
      const below = subtract(inner as Fields, gone[key] as Fields);
      if (Object.keys(below).length > 0) rest[key] = below;
    }
  }
  return rest;
}
