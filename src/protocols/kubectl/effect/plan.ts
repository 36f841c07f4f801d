// How the effect of a request can be seen without carrying it out, if it can. A dry run is built
// from the parsed request, never from the client's octets as they are, and only where the request
// is understood whole: one query parameter that says `dryRun` in any spelling, one subresource
// more, and there is no preview. The sender of a planned request classifies it first.

import { type HttpRequest, headerValue } from "../../../model/request.ts";
import { opensConnection } from "../access.ts";
import type { ResourceRequest } from "../request-info.ts";
import { isBuiltInGroup, tierOfDryRun } from "../tier.ts";
import { type ObjectPlace, objectPath, placeOf, resourceOf, type ServedType } from "./cluster-path.ts";
import { defaultPropagation, deleteOptionsOf, dryRunDelete, type Propagation } from "./delete-request.ts";
import type { ObjectFields } from "./normalise.ts";

/** A request that iddio sends by itself, with the client's credentials. */
export interface SideRequest {
  readonly method: string;
  /** Below the prefix of the client's own request. */
  readonly target: string;
  readonly contentType?: string;
  readonly body?: Uint8Array;
}

/** A write's effect on its object. */
export type WriteAction = "create" | "update" | "patch" | "apply";

/** How to see the effect. */
export type EffectPlan =
  | { readonly kind: "none"; readonly why: string }
  | {
      readonly kind: "write";
      readonly action: WriteAction;
      readonly prefix: string;
      readonly type: ServedType;
      /** Undefined for a create. */
      readonly place: ObjectPlace | undefined;
      readonly subresource: string | undefined;
      /** Undefined where the API server is not asked; `whyLocal` then says why. */
      readonly dryRun: SideRequest | undefined;
      readonly whyLocal: string;
      readonly body: Uint8Array;
      readonly contentType: string;
    }
  | {
      readonly kind: "delete";
      readonly prefix: string;
      readonly place: ObjectPlace;
      readonly propagation: Propagation;
      /** As the client gave them; undefined when iddio cannot write them again, and then nothing is pinned. */
      readonly options: ObjectFields | undefined;
      readonly isEviction: boolean;
      readonly dryRun: SideRequest | undefined;
    }
  | {
      readonly kind: "delete-collection";
      readonly prefix: string;
      readonly type: ServedType;
      readonly namespace: string | undefined;
      /** The selectors, as a query; "" without any. */
      readonly selectors: string;
      readonly propagation: Propagation;
    };

const WRITE_SUBRESOURCES: ReadonlySet<string> = new Set(["scale", "status", "ephemeralcontainers"]);

/** Plans for one request; `request.body` is the whole body without its content coding. */
export function planEffect(request: HttpRequest): EffectPlan {
  const found = resourceOf(request);
  if (found === undefined)
    return none("the request does not name an object in a way that iddio reads for certain");
  const { info, query } = found;
  if (request.headers.some(([name]) => /^x-(?:http-)?method(?:-override)?$/i.test(name)))
    return none("a header field names another method");
  if (opensConnection(info.subresource))
    return none("it opens a connection, whose later content is not known");
  if (query.some(([name]) => /dry[-_ ]?run/i.test(name)))
    return none("its query already speaks of a dry run, which iddio neither repeats nor takes away");
  switch (info.verb) {
    case "create":
      return info.subresource === "eviction" ? planEviction(found) : planWrite(request, found, "create");
    case "update":
      return planWrite(request, found, "update");
    case "patch":
      return planWrite(request, found, isApply(request) ? "apply" : "patch");
    case "delete":
      return planDelete(request, found);
    case "deletecollection":
      return planCollection(request, found);
    default:
      return none("it changes nothing that could be compared");
  }
}

type Found = NonNullable<ReturnType<typeof resourceOf>>;

function none(why: string): EffectPlan {
  return { kind: "none", why };
}

function contentTypeOf(request: HttpRequest): string {
  return (headerValue(request.headers, "content-type") ?? "application/json").trim().toLowerCase();
}

function isApply(request: HttpRequest): boolean {
  return contentTypeOf(request).startsWith("application/apply-patch");
}

function planWrite(request: HttpRequest, { info, query, prefix }: Found, action: WriteAction): EffectPlan {
  const { subresource, group, version, resource } = info;
  if (subresource !== undefined && !(action !== "create" && WRITE_SUBRESOURCES.has(subresource)))
    return none(`nothing can be compared of the subresource '${subresource}'`);
  if (request.body.kind !== "whole")
    return none(
      request.body.kind === "none" ? "it has no body" : `its body was not read whole: ${request.body.why}`,
    );
  const type = { group, version, resource };
  const place = placeOf(info);
  const contentType = headerValue(request.headers, "content-type") ?? "application/json";
  const whyLocal = whyNoDryRun(info);
  const target = withQuery(
    `${pathOf(info, place)}${subresource === undefined ? "" : `/${subresource}`}`,
    query,
  );
  const body = request.body.bytes;
  const dryRun = whyLocal === "" ? { method: request.method, target, contentType, body } : undefined;
  return { kind: "write", action, prefix, type, place, subresource, dryRun, whyLocal, body, contentType };
}

/** The path of the object, or of the collection that it is put into. */
function pathOf(info: ResourceRequest, place: ObjectPlace | undefined): string {
  if (place !== undefined) return objectPath(place);
  const { group, version, resource, namespace } = info;
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  return `${root}${namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`}/${resource}`;
}

/** Parameters that a dry run repeats. Others mean nothing to it, or nothing that is known. */
const REPEATED: ReadonlySet<string> = new Set(["fieldManager", "fieldValidation", "force"]);

function withQuery(path: string, query: readonly (readonly [string, string])[]): string {
  const kept = query
    .filter(([name]) => REPEATED.has(name))
    .map(([name, value]) => [name, value] as [string, string]);
  return `${path}?${new URLSearchParams([...kept, ["dryRun", "All"]])}`;
}

/** Why the API server is not asked for a dry run; "" when it may be. */
function whyNoDryRun(info: ResourceRequest): string {
  if (!isBuiltInGroup(info.group))
    return `the group '${info.group}' may be served by another server, and that might carry a dry run out`;
  if (tierOfDryRun(info).tier !== "observe")
    return "iddio sends no dry run of a break-glass request or of one that holds credentials";
  return "";
}

function planDelete(request: HttpRequest, { info, query, prefix }: Found): EffectPlan {
  const place = placeOf(info);
  if (place === undefined || info.subresource !== undefined)
    return none(`nothing can be compared of the subresource '${info.subresource ?? ""}'`);
  const { fields, propagation } = deleteOptionsOf(request, query);
  const isAsked = fields !== undefined && fields.dryRun === undefined && whyNoDryRun(info) === "";
  return {
    kind: "delete",
    prefix,
    place,
    propagation: propagation ?? defaultPropagation(place.group, place.resource),
    options: fields,
    isEviction: false,
    dryRun: isAsked
      ? {
          method: "DELETE",
          target: objectPath(place),
          contentType: "application/json",
          body: dryRunDelete(fields),
        }
      : undefined,
  };
}

function planEviction({ info, prefix }: Found): EffectPlan {
  const place = placeOf(info);
  if (place === undefined) return none("an eviction without a Pod");
  return {
    kind: "delete",
    prefix,
    place,
    propagation: "Background",
    options: undefined,
    isEviction: true,
    dryRun: undefined,
  };
}

/** Parameters that choose the objects of a deletecollection; one that is not known could choose too. */
const SELECTORS: ReadonlySet<string> = new Set(["labelSelector", "fieldSelector"]);
const HARMLESS: ReadonlySet<string> = new Set([
  "propagationPolicy",
  "orphanDependents",
  "gracePeriodSeconds",
  "pretty",
  "timeoutSeconds",
]);

function planCollection(request: HttpRequest, { info, query, prefix }: Found): EffectPlan {
  const odd = query.find(([name]) => !SELECTORS.has(name) && !HARMLESS.has(name));
  if (odd !== undefined) return none(`the parameter '${odd[0]}' may choose the deleted objects`);
  const { group, version, resource, namespace } = info;
  const chosen = query
    .filter(([name]) => SELECTORS.has(name))
    .map(([name, value]) => [name, value] as [string, string]);
  const { propagation } = deleteOptionsOf(request, query);
  return {
    kind: "delete-collection",
    prefix,
    type: { group, version, resource },
    namespace,
    selectors: chosen.length === 0 ? "" : String(new URLSearchParams(chosen)),
    propagation: propagation ?? defaultPropagation(group, resource),
  };
}
