// Requests to a Kubernetes API server and kubectl's command lines. Path dialect: decode
// first, then split, like Go's URL.Path; a path with two readings is unknown. What a
// path means is kubectl-request-info.ts's, which tier it has kubectl-tier.ts's.

import type { Classification } from "../model/classification.ts";
import { type HttpRequest, headerValue, type RequestHead } from "../model/request.ts";
import { parseQuery, readPathDecodeFirst, splitTarget } from "../wire/path.ts";
import type { Classifier } from "./classifier.ts";
import { commandNames } from "./kubectl-command.ts";
import { bodyAsksForDryRun, isDryRun } from "./kubectl-delete-options.ts";
import { classifyEndpoint } from "./kubectl-endpoints.ts";
import { type ResourceRequest, resolveRequestInfo } from "./kubectl-request-info.ts";
import { isBuiltInGroup, isWriteVerb, tierOfDryRun, tierOfOperation } from "./kubectl-tier.ts";
import { effectiveMethods } from "./method-override.ts";
import { strictestOf } from "./strictest.ts";
import { unknownClassification } from "./unknown.ts";
import { upgradeOf } from "./upgrade.ts";

/** kubectl and kustomize, and whatever else speaks to an API server (helm, client libraries). */
export const kubectlClassifier: Classifier = {
  protocol: "kubectl",
  scopes: [{ keyword: "namespaces", label: "namespace" }],
  programs: ["kubectl", "kustomize"],
  needsBody,
  classify,
  classifyArgv: () => unknownClassification("kubectl", "not yet"),
};

type Query = readonly (readonly [string, string])[];

/** Only the body of a DELETE can change the answer: it may hold the dry run, or take it back. */
function needsBody(head: RequestHead): boolean {
  return effectiveMethods(head).some((method) => {
    if (method !== "DELETE") return false;
    const { path } = splitTarget(head.target);
    const segments = readSegments(path);
    if (segments === undefined) return false;
    const info = resolveRequestInfo(segments, method, false);
    return (
      info.kind === "resource" &&
      tierOfDryRun(info).tier === "observe" &&
      tierOfOperation(info).tier !== "observe"
    );
  });
}

function classify(request: HttpRequest): Classification {
  const [sent, ...overrides] = effectiveMethods(request);
  const answer = strictestOf(
    classifyMethod(request, sent),
    ...overrides.map((method) => classifyMethod(request, method)),
  );
  const identity = request.headers.find(([name]) => isIdentityField(name));
  if (identity === undefined) return answer;
  // One part only: an unknown reading beside it must not soften what is certain.
  const { parts: _, ...whole } = answer;
  return { ...whole, tier: "break-glass", reason: `the field ${identity[0]} acts as somebody else` };
}

function classifyMethod(request: HttpRequest, method: string): Classification {
  const { path, query: rawQuery } = splitTarget(request.target);
  const segments = readSegments(path);
  if (segments === undefined) return unknownClassification("kubectl", "the path can be read in two ways");
  const query = parseQuery(rawQuery);
  const info = resolveRequestInfo(segments, method, isWatch(query ?? []));
  const upgrade = upgradeOf(request);
  switch (info.kind) {
    case "bad":
      return unknownClassification("kubectl", info.reason);
    case "non-resource": {
      const endpoint = classifyEndpoint(info.segments, method);
      const plain: Classification = { protocol: "kubectl", aliases: [], labels: {}, ...endpoint };
      return upgrade === undefined ? plain : withUpgrade(plain);
    }
    case "resource":
      return classifyResource(request, info, query, upgrade);
  }
}

function classifyResource(
  request: HttpRequest,
  info: ResourceRequest,
  query: Query | undefined,
  upgrade: string | undefined,
): Classification {
  const { tier, reason } = tierOfRequest(request, info, query);
  const labels: Record<string, string> = {};
  if (info.namespace !== undefined) labels.namespace = info.namespace;
  const plain: Classification = {
    protocol: "kubectl",
    tier,
    ...commandNames(info, valuesOf(query ?? [], "command")),
    labels,
    reason,
  };
  if (tier !== "break-glass" && isUninterpreted(info))
    return { ...plain, tier: "unknown", reason: "the path goes on after the subresource" };
  if (upgrade === undefined || tier === "break-glass" || takesUpgrade(info, upgrade)) return plain;
  return withUpgrade(plain);
}

function tierOfRequest(request: HttpRequest, info: ResourceRequest, query: Query | undefined) {
  const real = tierOfOperation(info);
  if (!isWriteVerb(info.verb) || info.isVerbInPath) return real;
  const dry = tierOfDryRun(info);
  if (dry.tier !== "observe" || real.tier === "observe") return real;
  const isDelete = info.verb === "delete" || info.verb === "deletecollection";
  const { body } = request;
  if (isDelete && body.kind === "unread")
    return { tier: "unknown" as const, reason: `the body decides whether it is a dry run, and ${body.why}` };
  if (isDelete && body.kind === "whole" && body.bytes.length > 0)
    return bodyAsksForDryRun(body.bytes, headerValue(request.headers, "content-type")) ? dry : real;
  // A malformed query is no dry run: what the API server makes of its remains is not ours to guess.
  return query !== undefined && isDryRun(valuesOf(query, "dryRun")) ? dry : real;
}

/** The API server reads watch like this: present and neither "false" nor "0", the first value counting. */
function isWatch(query: Query): boolean {
  const [first] = valuesOf(query, "watch");
  return first !== undefined && first.toLowerCase() !== "false" && first !== "0";
}

/** No route of the API server has more segments, and `/watch/` takes neither subresources nor writes. */
function isUninterpreted(info: ResourceRequest): boolean {
  return info.tail.length > 0 || (info.isVerbInPath && info.subresource !== undefined);
}

/** Watches and logs may be had over a WebSocket; on a resource of somebody else's server it may be anything. */
function takesUpgrade(info: ResourceRequest, upgrade: string): boolean {
  if (upgrade !== "websocket" || !isBuiltInGroup(info.group)) return false;
  return info.verb === "watch" || (info.verb === "get" && info.subresource === "log");
}

function withUpgrade(plain: Classification): Classification {
  const reason = "this resource takes no upgraded connection";
  const unknown: Classification = { ...plain, tier: "unknown", reason };
  return plain.tier === "observe" || plain.tier === "unknown" ? unknown : strictestOf(plain, unknown);
}

/** Rancher serves each cluster's API below /k8s/clusters/<id>. */
function readSegments(path: string): readonly string[] | undefined {
  const reading = readPathDecodeFirst(path);
  if (reading.kind !== "ok") return undefined;
  const { segments } = reading;
  return segments[0] === "k8s" && segments[1] === "clusters" && segments.length > 3
    ? segments.slice(3)
    : segments;
}

/** Impersonation, and the fields with which a front proxy vouches for somebody. */
function isIdentityField(name: string): boolean {
  return /^(?:impersonate-|x-remote-(?:user|group|uid|extra-))/i.test(name);
}

function valuesOf(query: Query, name: string): string[] {
  return query.filter(([key]) => key === name).map(([, value]) => value);
}
