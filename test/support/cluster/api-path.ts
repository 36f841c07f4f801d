// Request targets of the resource API taken apart: which resource, namespace, name and subresource.

import { findResource, type Resource } from "./object/resources.ts";

/** A request for a served resource. */
export interface ApiCall {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** The path after `proxy/`. */
  readonly rest: readonly string[];
  readonly query: URLSearchParams;
  readonly isWatch: boolean;
}

/** Reads a target as the API server's own RequestInfo does; undefined when no served resource is meant. */
export function parseApiPath(target: string): ApiCall | undefined {
  const url = new URL(target, "https://cluster");
  const segments = url.pathname
    .split("/")
    .filter((segment) => segment !== "")
    .map(decodeURIComponent);
  const root = segments.shift();
  if (root !== "api" && root !== "apis") return undefined;
  const group = root === "api" ? "" : (segments.shift() ?? "");
  const version = segments.shift() ?? "";
  const isLegacyWatch = segments[0] === "watch";
  if (isLegacyWatch) segments.shift();
  let namespace: string | undefined;
  const [first, second, third] = segments;
  if (first === "namespaces" && third !== undefined && findResource(group, version, third) !== undefined) {
    namespace = second;
    segments.splice(0, 2);
  }
  const [plural = "", name, subresource, ...rest] = segments;
  const resource = findResource(group, version, plural);
  if (resource === undefined) return undefined;
  const watch = url.searchParams.get("watch");
  return {
    resource,
    namespace,
    name,
    subresource,
    rest,
    query: url.searchParams,
    isWatch: isLegacyWatch || watch === "true" || watch === "1",
  };
}
