// The REST verbs on stored objects: get, list, create, update, patch, delete, with dry run. Streams
// (watch, logs, exec, port-forward) are dispatched in api.ts.

import { parse as parseYaml } from "yaml";
import { admitDelete, admitNew, requireObject, setDefaults, validate } from "../admission.ts";
import { ApiError, badRequest, conflict, deletedStatus, notFound } from "../api-error.ts";
import type { ApiCall } from "../api-path.ts";
import { type ClusterRequest, fieldOf } from "../http-connection.ts";
import { parseProtobuf } from "../protobuf.ts";
import { applyObject, recordUpdate } from "./apply.ts";
import { copy, type Fields, isFields, type KubeObject, valueAt } from "./kube-object.ts";
import { jsonPatch, mergePatch, strategicPatch } from "./patch.ts";
import { groupVersionOf } from "./resources.ts";
import { fieldSelector, labelSelector } from "./selectors.ts";
import type { ObjectStore, Propagation } from "./store.ts";

/** Status and body of an answer. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The body as a value: JSON, or YAML where the content type says so; undefined when empty. */
export function parseBody(request: ClusterRequest): unknown {
  if (request.body.length === 0) return undefined;
  const type = fieldOf(request, "content-type") ?? "application/json";
  if (type.includes("protobuf")) {
    const object = parseProtobuf(request.body);
    if (object !== undefined) return object;
    throw new ApiError(
      415,
      "UnsupportedMediaType",
      `the body of the request was in an unknown format: ${type}`,
    );
  }
  const text = Buffer.from(request.body).toString("utf8");
  try {
    return type.includes("yaml") ? parseYaml(text) : JSON.parse(text);
  } catch (problem) {
    throw badRequest(`the object provided is unrecognized: ${String(problem)}`);
  }
}

/** Objects that the call's selectors choose, not copied. */
function chosen(call: ApiCall, store: ObjectStore): readonly KubeObject[] {
  const labels = labelSelector(call.query.get("labelSelector"));
  const fields = fieldSelector(call.query.get("fieldSelector"));
  return store.look(call.resource, call.namespace).filter((object) => labels(object) && fields(object));
}

/** Objects that the call's selectors choose. */
export function selectObjects(call: ApiCall, store: ObjectStore): KubeObject[] {
  return chosen(call, store).map(copy);
}

/** A page of a list; `continue` tokens are offsets. */
export function listPage(call: ApiCall, store: ObjectStore): { items: KubeObject[]; metadata: Fields } {
  const all = chosen(call, store);
  const limit = Number(call.query.get("limit") ?? 0) || all.length;
  const from = Number(call.query.get("continue") ?? 0);
  const left = all.length - from - limit;
  const rest = left > 0 ? { continue: String(from + limit), remainingItemCount: left } : {};
  const metadata = { resourceVersion: String(store.version), ...rest };
  return { items: all.slice(from, from + limit).map(copy), metadata };
}

/** The list object of a page. */
export function listObject(call: ApiCall, store: ObjectStore): unknown {
  const { items, metadata } = listPage(call, store);
  return {
    kind: `${call.resource.kind}List`,
    apiVersion: groupVersionOf(call.resource),
    metadata,
    // As from a real server, members of a list carry neither kind nor apiVersion.
    items: items.map(({ kind: _kind, apiVersion: _apiVersion, ...item }) => item),
  };
}

/** The stored object that a call names, or a 404. */
export function requireStored(call: ApiCall, store: ObjectStore): KubeObject {
  const object = store.get(call.resource, call.namespace, call.name ?? "");
  if (object === undefined) throw notFound(call.resource, call.name ?? "");
  return object;
}

/** POST on a collection. */
export function createObject(request: ClusterRequest, call: ApiCall, store: ObjectStore): Answer {
  const object = requireObject(parseBody(request), call.resource);
  admitNew(call.resource, object, call.namespace, store);
  validate(call.resource, object);
  recordUpdate(object, undefined, managerOf(request, call));
  return { status: 201, body: store.create(call.resource, object, isDryRun(call.query)) };
}

/** PUT on an object. */
export function replaceObject(request: ClusterRequest, call: ApiCall, store: ObjectStore): Answer {
  const object = requireObject(parseBody(request), call.resource);
  const current = requireStored(call, store);
  if (object.metadata.name !== call.name)
    throw badRequest(
      `the name of the object (${object.metadata.name}) does not match the name on the URL (${call.name ?? ""})`,
    );
  if (call.namespace !== undefined) object.metadata.namespace = call.namespace;
  return writeOver(request, call, store, current, object);
}

/** PATCH on an object in the format that the content type names. */
export function patchObject(request: ClusterRequest, call: ApiCall, store: ObjectStore): Answer {
  const type = fieldOf(request, "content-type") ?? "";
  if (type.startsWith("application/apply-patch")) return applyPatch(request, call, store);
  const current = requireStored(call, store);
  const patched = patchedValue(type, current, parseBody(request)) as KubeObject;
  if (patched.metadata?.name !== current.metadata.name) throw badRequest("metadata.name may not be changed");
  if (
    patched.metadata.resourceVersion !== undefined &&
    patched.metadata.resourceVersion !== current.metadata.resourceVersion
  )
    throw conflict(call.resource, current.metadata.name);
  return writeOver(request, call, store, current, patched);
}

/** The value after a patch; 415 for formats that are none. */
export function patchedValue(type: string, current: unknown, patch: unknown): unknown {
  if (type.startsWith("application/json-patch+json")) return jsonPatch(current, patch);
  if (!isFields(patch)) throw badRequest("error decoding patch");
  if (type.startsWith("application/merge-patch+json")) return mergePatch(copy(current), patch);
  if (type.startsWith("application/strategic-merge-patch+json")) return strategicPatch(copy(current), patch);
  throw new ApiError(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml`,
  );
}

function applyPatch(request: ClusterRequest, call: ApiCall, store: ObjectStore): Answer {
  const applied = requireObject(parseBody(request), call.resource);
  if (call.namespace !== undefined) applied.metadata.namespace = call.namespace;
  applied.metadata.name ||= call.name ?? "";
  const manager = call.query.get("fieldManager");
  if (manager === null)
    throw badRequest("PatchOptions is invalid: fieldManager: Required value: is required for apply patch");
  const current = store.get(call.resource, call.namespace, call.name ?? "");
  const next = applyObject(current, applied, { manager, force: call.query.get("force") === "true" });
  if (current === undefined) {
    admitNew(call.resource, next, call.namespace, store);
    validate(call.resource, next);
    return { status: 201, body: store.create(call.resource, next, isDryRun(call.query)) };
  }
  setDefaults(next);
  validate(call.resource, next);
  return { status: 200, body: store.update(call.resource, next, isDryRun(call.query)) };
}

function writeOver(
  request: ClusterRequest,
  call: ApiCall,
  store: ObjectStore,
  current: KubeObject,
  next: KubeObject,
): Answer {
  // The main resource cannot change the status, and the status subresource nothing else.
  const written = call.subresource === "status" ? { ...current, status: next.status } : next;
  if (call.subresource === undefined && current.status !== undefined) written.status = current.status;
  setDefaults(written);
  validate(call.resource, written);
  recordUpdate(written, current, managerOf(request, call));
  return { status: 200, body: store.update(call.resource, written, isDryRun(call.query)) };
}

/** DELETE on an object; options in a body count, and the query only when the body is empty. */
export function deleteObject(request: ClusterRequest, call: ApiCall, store: ObjectStore): Answer {
  const options = deleteOptions(request, call);
  const object = requireStored(call, store);
  admitDelete(call.resource, object.metadata.name);
  const uid = valueAt(options.body, "preconditions.uid");
  if (uid !== undefined && uid !== object.metadata.uid) throw conflict(call.resource, object.metadata.name);
  if (!options.dryRun)
    store.delete(call.resource, object.metadata.namespace, object.metadata.name, options.propagation);
  const isShown = call.resource.plural === "pods" || (object.metadata.finalizers ?? []).length > 0;
  return { status: 200, body: isShown ? object : deletedStatus(call.resource, object) };
}

/** DELETE on a collection. */
export function deleteCollection(request: ClusterRequest, call: ApiCall, store: ObjectStore): Answer {
  const options = deleteOptions(request, call);
  const selected = selectObjects(call, store);
  if (!options.dryRun)
    for (const { metadata } of selected)
      if (store.get(call.resource, metadata.namespace, metadata.name) !== undefined)
        store.delete(call.resource, metadata.namespace, metadata.name, options.propagation);
  const kind = `${call.resource.kind}List`;
  return {
    status: 200,
    body: { kind, apiVersion: groupVersionOf(call.resource), metadata: {}, items: selected },
  };
}

/** Whether a request is a dry run: a DELETE with a body says so there. */
export function isDryRunCall(request: ClusterRequest, call: ApiCall): boolean {
  return request.method === "DELETE" ? deleteOptions(request, call).dryRun : isDryRun(call.query);
}

function deleteOptions(
  request: ClusterRequest,
  call: ApiCall,
): { readonly body: unknown; readonly dryRun: boolean; readonly propagation: Propagation } {
  const body = parseBody(request);
  const dryRun =
    body === undefined ? isDryRun(call.query) : JSON.stringify(valueAt(body, "dryRun")) === '["All"]';
  const chosen =
    body === undefined ? call.query.get("propagationPolicy") : valueAt(body, "propagationPolicy");
  const propagation = chosen === "Orphan" || chosen === "Foreground" ? chosen : "Background";
  return { body, dryRun, propagation };
}

/** GET, PUT or PATCH of the scale of a workload. */
export function scaleObject(request: ClusterRequest, call: ApiCall, store: ObjectStore): Answer {
  const object = requireStored(call, store);
  const scale = scaleOf(object);
  if (request.method === "GET") return { status: 200, body: scale };
  const body = parseBody(request);
  const next =
    request.method === "PUT" ? body : patchedValue(fieldOf(request, "content-type") ?? "", scale, body);
  const replicas = valueAt(next, "spec.replicas");
  if (typeof replicas !== "number" || replicas < 0)
    throw badRequest("spec.replicas must be a number from 0 on");
  const scaled = { ...object, spec: { ...(object.spec as Fields), replicas } };
  return { status: 200, body: scaleOf(store.update(call.resource, scaled, isDryRun(call.query))) };
}

function scaleOf(object: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion } as KubeObject["metadata"],
    spec: { replicas: valueAt(object, "spec.replicas") ?? 0 },
    status: { replicas: valueAt(object, "status.replicas") ?? 0 },
  };
}

/** Whether the query asks for a dry run; any other value than All is a 400. */
export function isDryRun(query: URLSearchParams): boolean {
  const values = query.getAll("dryRun");
  if (values.some((value) => value !== "All"))
    throw badRequest(`Invalid value: ${JSON.stringify(values)}: dryRun: supported values: "All"`);
  return values.length > 0;
}

function managerOf(request: ClusterRequest, call: ApiCall): string {
  const agent = fieldOf(request, "user-agent") ?? "unknown";
  return call.query.get("fieldManager") ?? agent.split("/")[0] ?? agent;
}
