// Dispatch: from an authenticated request to the discovery, REST, review or stream that answers it.

import { ApiError } from "./api-error.ts";
import { type ApiCall, parseApiPath } from "./api-path.ts";
import type { User } from "./authentication.ts";
import { discover } from "./discovery.ts";
import { type ClusterRequest, fieldOf, type Reply } from "./http-connection.ts";
import { type KubeObject, listAt, valueAt } from "./object/kube-object.ts";
import {
  type Answer,
  createObject,
  deleteCollection,
  deleteObject,
  isDryRunCall,
  listObject,
  listPage,
  parseBody,
  patchObject,
  replaceObject,
  requireStored,
  scaleObject,
} from "./object/resource-api.ts";
import { groupVersionOf } from "./object/resources.ts";
import type { ObjectStore } from "./object/store.ts";
import { tableOf } from "./object/table.ts";
import { serveWatch } from "./object/watch.ts";
import { answerReview } from "./reviews.ts";
import type { PodRuntime } from "./stream/pod-runtime.ts";
import { serveAttach, serveExec, serveLog } from "./stream/pod-streams.ts";
import { servePortForward } from "./stream/port-forward.ts";
import type { ServiceAccountTokens } from "./tokens.ts";
import { callWebhooks } from "./webhooks.ts";

/** The parts that answering needs. */
export interface Api {
  readonly store: ObjectStore;
  readonly pods: PodRuntime;
  readonly tokens: ServiceAccountTokens;
  /** Aborted when the cluster stops. */
  readonly stopped: AbortSignal;
}

/** Answers one request; failures of the API become their Status. */
export async function answer(api: Api, user: User, request: ClusterRequest, reply: Reply): Promise<void> {
  try {
    await dispatch(api, user, request, reply);
  } catch (problem) {
    const known = problem instanceof ApiError ? problem : new ApiError(500, "InternalError", String(problem));
    await sendJson(reply, known.status, known.toStatus());
  }
}

/** Sends a value as JSON. */
export function sendJson(
  reply: Reply,
  status: number,
  body: unknown,
  type = "application/json",
): Promise<void> {
  return reply.send(status, `${JSON.stringify(body)}\n`, {
    "Content-Type": type,
    "Cache-Control": "no-cache, private",
  });
}

async function dispatch(api: Api, user: User, request: ClusterRequest, reply: Reply): Promise<void> {
  const { pathname } = new URL(request.target, "https://cluster");
  const call = parseApiPath(request.target);
  if (call === undefined) {
    const found = request.method === "GET" ? discover(pathname, fieldOf(request, "accept") ?? "") : undefined;
    if (found !== undefined) return sendJson(reply, 200, found.body, found.type);
    if (["/healthz", "/livez", "/readyz"].includes(pathname)) return reply.send(200, "ok");
    throw new ApiError(404, "NotFound", "the server could not find the requested resource");
  }
  if (call.isWatch) return serveWatch(call, reply, api.store, formOf(request, call), api.stopped);
  if (call.resource.isVirtual) {
    const review = parseBody(request) as KubeObject;
    return sendJson(reply, 201, answerReview(review, user));
  }
  if (await serveStream(api, call, request, reply)) return;
  const { status, body } = callSubresource(api, call, request) ?? callResource(api, call, request);
  await reply.send(status, `${JSON.stringify(body)}\n`, {
    "Content-Type": "application/json",
    Date: api.tokens.date,
  });
}

async function serveStream(api: Api, call: ApiCall, request: ClusterRequest, reply: Reply): Promise<boolean> {
  if (call.subresource === "proxy") {
    requireStored(call, api.store);
    await reply.send(200, `proxied ${request.method} /${call.rest.join("/")}\n`, {
      "Content-Type": "text/plain",
    });
    return true;
  }
  if (call.resource.plural !== "pods") return false;
  const serve = { log: serveLog, exec: serveExec, attach: serveAttach }[call.subresource ?? ""];
  if (serve === undefined && call.subresource !== "portforward") return false;
  const pod = requireStored(call, api.store);
  const { namespace = "", name } = pod.metadata;
  if (serve !== undefined) await serve({ ...api, pod, call, request, reply });
  else await servePortForward(request, reply, (port) => api.pods.portHandler(namespace, name, port));
  return true;
}

function callSubresource(api: Api, call: ApiCall, request: ClusterRequest): Answer | undefined {
  switch (call.subresource) {
    case undefined:
    case "status":
    case "ephemeralcontainers":
      return undefined;
    case "scale":
      return scaleObject(request, call, api.store);
    case "token":
      requireStored(call, api.store);
      return {
        status: 201,
        body: api.tokens.issue(parseBody(request) as KubeObject, call.namespace ?? "", call.name ?? ""),
      };
    case "eviction":
      deleteObject({ ...request, body: new Uint8Array() }, call, api.store);
      return {
        status: 201,
        body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 },
      };
    case "binding":
    case "finalize":
      return {
        status: 201,
        body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 },
      };
    default:
      throw new ApiError(404, "NotFound", "the server could not find the requested resource");
  }
}

function callResource(api: Api, call: ApiCall, request: ClusterRequest): Answer {
  const { store } = api;
  const isCollection = call.name === undefined;
  if (request.method !== "GET" && request.method !== "HEAD")
    callWebhooks(call, store, isDryRunCall(request, call));
  switch (request.method) {
    case "GET":
    case "HEAD":
      return { status: 200, body: read(store, call, request) };
    case "POST":
      if (isCollection) return createObject(request, call, store);
      break;
    case "PUT":
      if (!isCollection) return replaceObject(request, call, store);
      break;
    case "PATCH":
      if (!isCollection) return patchObject(request, call, store);
      break;
    case "DELETE":
      return isCollection ? deleteCollection(request, call, store) : deleteObject(request, call, store);
  }
  throw new ApiError(
    405,
    "MethodNotAllowed",
    "the server does not allow this method on the requested resource",
  );
}

function read(store: ObjectStore, call: ApiCall, request: ClusterRequest): unknown {
  const { asTable, asMetadata, include } = formOf(request, call);
  if (asTable) {
    const page = call.name === undefined ? listPage(call, store) : undefined;
    const objects = page?.items ?? [requireStored(call, store)];
    const version = String(page?.metadata.resourceVersion ?? objects[0]?.metadata.resourceVersion ?? "");
    const table = tableOf(call.resource, objects, { version, include, withColumns: true }) as {
      metadata: object;
    };
    return { ...table, metadata: page?.metadata ?? table.metadata };
  }
  const object = call.name === undefined ? listObject(call, store) : requireStored(call, store);
  if (!asMetadata) return object;
  const meta = { apiVersion: "meta.k8s.io/v1", metadata: valueAt(object, "metadata") };
  if (call.name !== undefined) return { kind: "PartialObjectMetadata", ...meta };
  const items = listAt(object, "items").map(({ metadata }) => ({
    kind: "PartialObjectMetadata",
    apiVersion: "meta.k8s.io/v1",
    metadata,
  }));
  return { kind: "PartialObjectMetadataList", ...meta, items };
}

function formOf(
  request: ClusterRequest,
  call: ApiCall,
): { readonly asTable: boolean; readonly asMetadata: boolean; readonly include: string } {
  const accept = fieldOf(request, "accept") ?? "";
  return {
    asTable: accept.includes("as=Table"),
    asMetadata: accept.includes("as=PartialObjectMetadata"),
    include: call.query.get("includeObject") ?? "Metadata",
  };
}

/** The path of a resource type, for tests that look for requests. */
export function collectionPath(
  resource: { group: string; version: string; plural: string },
  namespace: string,
): string {
  const root = resource.group === "" ? "api" : "apis";
  return `/${root}/${groupVersionOf(resource)}/namespaces/${namespace}/${resource.plural}`;
}
