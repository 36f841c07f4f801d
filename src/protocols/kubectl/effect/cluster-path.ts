// The paths of a cluster's API as iddio writes them for reads of its own: of an object, of a
// collection. What stood before the API's own path in the client's request (a proxy's prefix)
// stands before them too.

import type { HttpRequest } from "../../../model/request.ts";
import { parseQuery, readPathDecodeFirst, splitTarget } from "../../../wire/path.ts";
import { type ResourceRequest, resolveRequestInfo } from "../request-info.ts";

/** A kind of object, as the API serves it. */
export interface ServedType {
  readonly group: string;
  readonly version: string;
  /** Plural, as in paths. */
  readonly resource: string;
}

/** An object, by where it is. */
export interface ObjectPlace extends ServedType {
  readonly namespace: string | undefined;
  readonly name: string;
}

/** The path of a collection; without a namespace that of the whole cluster. */
export function collectionPath(
  { group, version, resource }: ServedType,
  namespace: string | undefined,
): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const within = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${within}/${encodeURIComponent(resource)}`;
}

/** The path of an object. */
export function objectPath(place: ObjectPlace): string {
  return `${collectionPath(place, place.namespace)}/${encodeURIComponent(place.name)}`;
}

/** The resource that a request names, with its query; undefined where it is no plain request for a resource. */
export function resourceOf(request: Pick<HttpRequest, "method" | "target">):
  | {
      readonly info: ResourceRequest;
      readonly query: readonly (readonly [string, string])[];
      readonly prefix: string;
    }
  | undefined {
  const { path, query: raw } = splitTarget(request.target);
  const reading = readPathDecodeFirst(path);
  const query = parseQuery(raw) ?? undefined;
  if (reading.kind !== "ok" || query === undefined) return undefined;
  const isRancher =
    reading.segments[0] === "k8s" && reading.segments[1] === "clusters" && reading.segments.length > 3;
  const prefix = isRancher ? `/${reading.segments.slice(0, 3).map(encodeURIComponent).join("/")}` : "";
  const segments = isRancher ? reading.segments.slice(3) : reading.segments;
  const info = resolveRequestInfo(segments, request.method, false);
  return info.kind === "resource" && info.tail.length === 0 && !info.isVerbInPath
    ? { info, query, prefix }
    : undefined;
}

/** Where the object of a request is; undefined for collections. */
export function placeOf(info: ResourceRequest): ObjectPlace | undefined {
  const { group, version, resource, name } = info;
  if (name === undefined) return undefined;
  // The API server's resolver counts a namespace as its own namespace; its path has it once.
  const namespace = group === "" && resource === "namespaces" ? undefined : info.namespace;
  return { group, version, resource, namespace, name };
}
