// Requests to a Kubernetes API server and kubectl's command lines. Path dialect: decode first, then
// split, like Go's URL.Path; a path with two readings is unknown. request-info.ts knows the meaning
// of a path, tier.ts its tier.

import type { Classification } from "../../model/classification.ts";
import { type HttpRequest, headerValue, type RequestBody, type RequestHead } from "../../model/request.ts";
import { stricterTier } from "../../model/tier.ts";
import { parseQuery, readPathDecodeFirst, splitTarget } from "../../wire/path.ts";
import { programName } from "../argv.ts";
import type { Classifier } from "../classifier.ts";
import { lenientReadings } from "../lenient-path.ts";
import { effectiveMethods } from "../method-override.ts";
import { raisedToBreakGlass, strictestOf } from "../strictest.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { upgradeOf } from "../upgrade.ts";
import { classifyKubectlArgv } from "./argv.ts";
import { type BodyFinding, isJudgedByBody, judgeBody, type WrittenResource } from "./body/manifest.ts";
import { commandNames, copySteps } from "./command.ts";
import { bodyAsksForDryRun, isDryRun } from "./delete-options.ts";
import { classifyEndpoint } from "./endpoints.ts";
import { classifyKustomizeArgv } from "./kustomize-argv.ts";
import { kubectlLiveClient } from "./live-client.ts";
import { namespacesOf } from "./namespaces.ts";
import { kubectlOperations } from "./operations.ts";
import { commandOfPatch, mayTell, toldNames } from "./patch-command.ts";
import { renderKubernetesStatus } from "./refusal.ts";
import { type ResourceRequest, resolveRequestInfo } from "./request-info.ts";
import { isBuiltInSpelling, resourceType } from "./resources.ts";
import { isBuiltInGroup, isWriteVerb, type KubectlTier, tierOfDryRun, tierOfOperation } from "./tier.ts";
import { kubectlVocabulary } from "./vocabulary.ts";

const HOSTS: readonly RegExp[] = [
  /(?:^|\.)eks\.amazonaws\.com(?:\.cn)?$/,
  // Clusters with IPv6.
  /\.eks-cluster\.[a-z0-9-]+\.(?:api\.aws|api\.amazonwebservices\.com\.cn)$/,
  /\.gke\.goog$/,
  /\.azmk8s\.(?:io|us|cn)$/,
  /\.k8s\.ondigitalocean\.com$/,
  /\.linodelke\.net$/,
  /(?:^|\.)kubernetes(?:\.default(?:\.svc(?:\.cluster\.local)?)?)?$/,
];

/** kubectl and kustomize, and whatever else speaks to an API server (helm, client libraries). */
export const kubectlClassifier: Classifier = {
  protocol: "kubectl",
  covers: "Kubernetes API traffic (kubectl, kustomize, helm on the wire).",
  scopes: [{ keyword: "namespaces", label: "namespace" }],
  programs: ["kubectl", "kustomize"],
  isOwnHost: (host) => HOSTS.some((pattern) => pattern.test(host)),
  liveClients: [kubectlLiveClient],
  needsBody,
  isJudgedByBody: isCommandJudgedByBody,
  classify,
  operations: kubectlOperations,
  vocabulary: kubectlVocabulary,
  classifyArgv: (argv) =>
    programName(argv[0]) === "kustomize"
      ? classifyKustomizeArgv(argv)
      : classifyKubectlArgv(argv, classifyRaw),
  refusal: renderKubernetesStatus,
};

/** `kubectl get --raw` and its like; the file that a body would come from is not there to be read. */
function classifyRaw(method: string, target: string, hasBody: boolean): Classification {
  const body: RequestBody = hasBody ? { kind: "unread", why: "it is in a file" } : { kind: "none" };
  const path = target.startsWith("/") ? target : `/${target}`;
  return classify({ method, host: "kubernetes", port: 443, target: path, headers: [], body });
}

type Query = readonly (readonly [string, string])[];

function needsBody(head: RequestHead): boolean {
  return effectiveMethods(head).some((method) => {
    if (!BODY_METHODS.has(method)) return false;
    const reading = readPathDecodeFirst(splitTarget(head.target).path);
    if (reading.kind !== "ok") return false;
    const info = resolveRequestInfo(belowRancher(reading.segments), method, false);
    return info.kind === "resource" && dependsOnBody(info);
  });
}

const BODY_METHODS: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "DELETE"]);

function classify(request: HttpRequest): Classification {
  const methods = effectiveMethods(request);
  const sent = classifyMethod(request, methods[0]);
  const answer =
    methods.length === 1
      ? sent
      : strictestOf(sent, ...methods.slice(1).map((method) => classifyMethod(request, method)));
  for (const [name, value] of request.headers)
    if (isIdentityField(name)) return raisedToBreakGlass(answer, impersonation(name, value));
  return answer;
}

function classifyMethod(request: HttpRequest, method: string): Classification {
  const { path, query } = splitTarget(request.target);
  const reading = readPathDecodeFirst(path);
  if (reading.kind === "ok") return classifySegments(request, method, reading.segments, query);
  const unknown = unknownClassification("kubectl", reading.reason);
  // Some server may still serve it: a lenient server's readings of it are judged as well, at their worst,
  // that is without a query or body that could say dry run.
  const bare: HttpRequest = { ...request, body: { kind: "none" } };
  const [first, ...others] = lenientReadings(path)
    .map((segments) => classifySegments(bare, method, segments, undefined))
    .filter((guess) => guess.tier !== "unknown");
  return first === undefined ? unknown : strictestOf(unknown, first, ...others);
}

function classifySegments(
  request: HttpRequest,
  method: string,
  pathSegments: readonly string[],
  rawQuery: string | undefined,
): Classification {
  const query = parseQuery(rawQuery);
  const info = resolveRequestInfo(belowRancher(pathSegments), method, isWatch(query ?? []));
  switch (info.kind) {
    case "bad":
      return unknownClassification("kubectl", info.reason);
    case "non-resource": {
      const plain = {
        protocol: "kubectl",
        aliases: [],
        labels: {},
        ...classifyEndpoint(info.segments, method),
      } as const;
      return upgradeOf(request) === undefined ? plain : doubtful(plain, NO_UPGRADE);
    }
    case "resource":
      return classifyResource(request, method, info, query);
  }
}

function classifyResource(
  request: HttpRequest,
  method: string,
  info: ResourceRequest,
  query: Query | undefined,
): Classification {
  const inside = isJudged(info) ? judgeBody(info, request.body, request.headers) : undefined;
  const { tier, reason } = tierOfRequest(request, info, query, inside);
  const execCommand = info.subresource === "exec" ? valuesOf(query ?? [], "command") : [];
  const told = commandOfPatch(info, request.body, request.headers);
  const byPatch = told === undefined ? undefined : toldNames(told, info);
  const plain: Classification = {
    protocol: "kubectl",
    tier,
    ...(byPatch ?? commandNames(info, execCommand)),
    ...(execCommand.length === 0
      ? undefined
      : copySteps({ ...info, containers: valuesOf(query ?? [], "container") }, execCommand)),
    ...namespacesOf(info),
    reason,
  };
  if (tier === "break-glass") return plain;
  const doubt =
    inside !== undefined && "doubt" in inside ? inside.doubt : doubtAbout(request, method, info, query);
  return doubt === undefined ? plain : doubtful(plain, doubt);
}

const NO_UPGRADE = "this resource takes no upgraded connection";

function doubtAbout(
  request: HttpRequest,
  method: string,
  info: ResourceRequest,
  query: Query | undefined,
): string | undefined {
  if (request.body.kind === "unread" && isDryRunInBody(info))
    return `the body decides whether it is a dry run, and ${request.body.why}`;
  // Go drops a malformed pair and keeps the others, which is not ours to imitate.
  if (query === undefined) return "the query is malformed";
  if (info.tail.length > 0) return "the path goes on after the subresource";
  if (info.isVerbInPath && (info.subresource !== undefined || (method !== "GET" && method !== "HEAD")))
    return "only whole objects can be watched, and only by GET";
  const upgrade = upgradeOf(request);
  return upgrade === undefined || takesUpgrade(info, upgrade) ? undefined : NO_UPGRADE;
}

/** The tier of the certain effect: a dry run only where the API server would see one. */
function tierOfRequest(
  request: HttpRequest,
  info: ResourceRequest,
  query: Query | undefined,
  inside: BodyFinding,
): KubectlTier {
  const real = withFinding(tierOfOperation(info), inside);
  if (real.tier === "break-glass") return real;
  if (!isWriteVerb(info.verb) || query === undefined) return real;
  const { body } = request;
  const isInBody =
    isDeletion(info.verb) && body.kind !== "none" && !(body.kind === "whole" && body.bytes.length === 0);
  const isDry = isInBody
    ? body.kind === "whole" && bodyAsksForDryRun(body.bytes, headerValue(request.headers, "content-type"))
    : isDryRun(valuesOf(query, "dryRun"));
  return isDry ? tierOfDryRun(info) : real;
}

/** Adds the finding about the body: it never lowers the operation's own tier. */
function withFinding(plain: KubectlTier, inside: BodyFinding): KubectlTier {
  if (inside === undefined || "doubt" in inside || stricterTier(plain.tier, inside.tier) === plain.tier)
    return plain;
  return { tier: inside.tier, reason: `${plain.reason}; the body ${inside.reason}` };
}

/** Of a command all that its requests may be about, in the namespace of the labels where they name one. */
function isCommandJudgedByBody(
  command: string,
  { namespace: own }: Readonly<Record<string, string>> = {},
): boolean {
  const [type = "", verb = ""] = command.split(" ");
  const [word = "", subresource] = type.split("/");
  const { resource, group } = resourceType(word);
  const written = { verb, group: isBuiltInSpelling(word) ? group : "custom", resource, subresource };
  const namespaces = own === undefined ? [undefined, "x"] : [own];
  return namespaces.some((namespace) => isJudged({ ...written, namespace }));
}

/** Whether the written object can still raise the tier. */
function isJudged(info: WrittenResource): boolean {
  return isJudgedByBody(info) && tierOfOperation(info).tier !== "break-glass";
}

function isDeletion(verb: string): boolean {
  return verb === "delete" || verb === "deletecollection";
}

/** A manifest may take the node, a patch tell a command; the body of a DELETE may hold the dry run, or take back the query's. */
function dependsOnBody(info: ResourceRequest): boolean {
  return isJudged(info) || isDryRunInBody(info) || mayTell(info);
}

function isDryRunInBody(info: ResourceRequest): boolean {
  return isDeletion(info.verb) && tierOfDryRun(info).tier !== tierOfOperation(info).tier;
}

/** The API server reads watch like this: present and neither "false" nor "0", the first value counting. */
function isWatch(query: Query): boolean {
  const [first] = valuesOf(query, "watch");
  return first !== undefined && first.toLowerCase() !== "false" && first !== "0";
}

/** Watches and logs may be had over a WebSocket; on a resource of somebody else's server it may be anything. */
function takesUpgrade(info: ResourceRequest, upgrade: string): boolean {
  if (upgrade !== "websocket" || !isBuiltInGroup(info.group)) return false;
  return info.verb === "watch" || (info.verb === "get" && info.subresource === "log");
}

/** Rancher serves each cluster's API below /k8s/clusters/<id>. */
function belowRancher(segments: readonly string[]): readonly string[] {
  return segments[0] === "k8s" && segments[1] === "clusters" && segments.length > 3
    ? segments.slice(3)
    : segments;
}

/** Says as whom, for the person who is asked and anyone who is refused. */
function impersonation(name: string, value: string): string {
  const who = value
    .replace(/[^\x20-\x7e]/g, "?")
    .replaceAll("'", "?")
    .trim()
    .slice(0, 80);
  return `the field ${name} acts as somebody else, '${who}'`;
}

/** Impersonation, and the fields with which a front proxy vouches for somebody. */
function isIdentityField(name: string): boolean {
  // The shortest is `X-Remote-Uid`.
  return name.length >= 12 && /^(?:impersonate-|x-remote-(?:user|group|uid|extra-))/i.test(name);
}

function valuesOf(query: Query, name: string): string[] {
  const values: string[] = [];
  for (const [key, value] of query) if (key === name) values.push(value);
  return values;
}
