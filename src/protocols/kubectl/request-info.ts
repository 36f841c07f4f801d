// Reads a path the way the Kubernetes API server's RequestInfo resolver does
// (k8s.io/apiserver/pkg/endpoints/request/requestinfo.go), which is what its own
// authorisation rests on. Needs no list of resources and judges nothing: tiers are
// kubectl-tier.ts's. Keep it in step with upstream rather than making it smarter.

/** A request for a resource, named as RBAC names it. */
export interface ResourceRequest {
  readonly kind: "resource";
  /** "" is the core group. */
  readonly group: string;
  readonly version: string;
  /** get, list, watch, create, update, patch, delete, deletecollection, proxy, options; "" for a method without a verb. */
  readonly verb: string;
  /** Undefined for cluster-wide requests; the namespace itself for requests on a namespace. */
  readonly namespace: string | undefined;
  readonly resource: string;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** Segments after the subresource, which the resolver does not interpret. */
  readonly tail: readonly string[];
  /** Whether the verb stands in the path (`/watch/…`), the form that came before `?watch=true`. */
  readonly isVerbInPath: boolean;
}

/** A path of the API server itself: discovery, health, version. */
export interface NonResourceRequest {
  readonly kind: "non-resource";
  readonly segments: readonly string[];
}

/** The subject of a path; `bad` where the API server itself cannot tell. */
export type RequestInfo =
  | ResourceRequest
  | NonResourceRequest
  | { readonly kind: "bad"; readonly reason: string };

const VERBS: ReadonlyMap<string, string> = new Map([
  ["GET", "get"],
  ["HEAD", "get"],
  ["POST", "create"],
  ["PUT", "update"],
  ["PATCH", "patch"],
  ["DELETE", "delete"],
  ["OPTIONS", "options"],
]);

/**
 * Resolves decoded path segments (no empty ones) and a method. `isWatch` is the value of the query's `watch`;
 * it counts only for a collection.
 */
export function resolveRequestInfo(
  segments: readonly string[],
  method: string,
  isWatch: boolean,
): RequestInfo {
  const prefix = segments[0];
  const groupCount = prefix === "apis" ? 1 : 0;
  if ((prefix !== "api" && prefix !== "apis") || segments.length < 3 + groupCount)
    return { kind: "non-resource", segments };
  const group = groupCount === 1 ? (segments[1] ?? "") : "";
  const version = segments[1 + groupCount] ?? "";
  let parts = segments.slice(2 + groupCount);

  let verb = VERBS.get(method) ?? "";
  const isVerbInPath = parts[0] === "watch" || parts[0] === "proxy";
  if (isVerbInPath) {
    if (parts.length < 2) return { kind: "bad", reason: `nothing follows '${parts[0]}' in the path` };
    verb = parts[0] ?? "";
    parts = parts.slice(1);
  }

  let namespace: string | undefined;
  if (parts[0] === "namespaces" && parts.length > 1) {
    namespace = parts[1];
    // status and finalize are subresources of the namespace; anything else is a resource inside it.
    if (parts.length > 2 && parts[2] !== "status" && parts[2] !== "finalize") parts = parts.slice(2);
  }

  const name = parts[1];
  if (name === undefined) {
    if (verb === "get") verb = isWatch ? "watch" : "list";
    else if (verb === "delete") verb = "deletecollection";
  }
  // The segments after the name of a proxied object are a path at the other end, not a subresource.
  const hasSubresource = verb !== "proxy" || !isVerbInPath;
  return {
    kind: "resource",
    group,
    version,
    verb,
    namespace,
    resource: parts[0] ?? "",
    name,
    subresource: hasSubresource ? parts[2] : undefined,
    tail: parts.slice(hasSubresource ? 3 : 2),
    isVerbInPath,
  };
}
