// Requests to Fly: the GraphQL API, the Machines API, the web API that flyctl uses beside them, and
// apps at fly.dev by method; and flyctl's command lines. Path dialect: split, then decode. Which
// operations exist is operations.ts's; a path that it does not know is unknown.

import type { Classification } from "../../model/classification.ts";
import type { HttpRequest, RequestHead } from "../../model/request.ts";
import { stricterTier } from "../../model/tier.ts";
import { parseStrictJson } from "../../wire/jsonrpc/strict-json.ts";
import { parseQuery, readPathSplitFirst, splitTarget } from "../../wire/path.ts";
import type { Classifier } from "../classifier.ts";
import { byMethodNeedsBody, classifyByMethod } from "../generic/classify.ts";
import { graphqlNeedsBody } from "../graphql/request.ts";
import { lenientReadings } from "../lenient-path.ts";
import { effectiveMethods } from "../method-override.ts";
import { strictestOf } from "../strictest.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { withUnnamed } from "../unnamed-scopes.ts";
import { asksForUpgrade } from "../upgrade.ts";
import { withLabels } from "../with-labels.ts";
import { classifyFlyArgv } from "./argv.ts";
import { classifyFlyGraphql } from "./graphql.ts";
import { flyOperations } from "./known-operations.ts";
import { flyLiveClient } from "./live-client.ts";
import { type FlyOperation, findFlyOperation, flyNames } from "./operations.ts";
import { renderFlyError } from "./refusal.ts";
import { flyVocabulary } from "./vocabulary.ts";

const HOSTS: readonly RegExp[] = [/^(?:api|registry)\.fly\.io$/, /^api\.machines\.dev$/, /\.fly\.dev$/];

/** The classifier of the policy's `fly` block. */
export const flyClassifier: Classifier = {
  protocol: "fly",
  covers: "Fly.io API traffic (fly, flyctl), REST and GraphQL.",
  scopes: [
    { keyword: "apps", label: "app" },
    { keyword: "orgs", label: "org" },
  ],
  programs: ["fly", "flyctl"],
  isOwnHost: (host) => HOSTS.some((pattern) => pattern.test(host)),
  liveClients: [flyLiveClient],
  needsBody,
  classify,
  operations: flyOperations,
  vocabulary: flyVocabulary,
  classifyArgv: classifyFlyArgv,
  refusal: renderFlyError,
};

function needsBody(head: RequestHead): boolean {
  if (!isApi(head.host)) return byMethodNeedsBody(head);
  const { path } = splitTarget(head.target);
  const reading = readPathSplitFirst(path);
  // An ambiguous path needs the body if any lenient reading of it does.
  return (reading.kind === "ok" ? [reading.segments] : lenientReadings(path)).some(
    (segments) =>
      (isGraphql(segments) && graphqlNeedsBody(head)) ||
      (isAppCreation(segments) && effectiveMethods(head).includes("POST")),
  );
}

/** Only the body says which app is created, and where. */
function isAppCreation(segments: readonly string[]): boolean {
  return segments.length === 2 && segments[0] === "v1" && segments[1] === "apps";
}

/**
 * The API's own hosts, also as machines see it (`_api.internal`); all other hosts that are routed here are
 * users' apps.
 */
function isApi(host: string): boolean {
  return /^(?:api\.(?:[a-z-]+\.)?(?:fly\.io|machines\.dev)|_api\.internal)$/.test(host);
}

function isGraphql(segments: readonly string[]): boolean {
  return segments.length === 1 && segments[0] === "graphql";
}

function classify(request: HttpRequest): Classification {
  if (!isApi(request.host))
    return classifyUsageReport(request) ?? withApp(request, classifyByMethod("fly", request));
  const [sent, ...overrides] = effectiveMethods(request);
  const answer = strictestOf(
    classifyMethod(request, sent),
    ...overrides.map((method) => classifyMethod(request, method)),
  );
  return asksForUpgrade(request) ? doubtful(answer, "an upgraded connection can carry anything") : answer;
}

/** Classifies the usage report that flyctl sends after every command. */
function classifyUsageReport(request: HttpRequest): Classification | undefined {
  const isReport =
    request.host === "flyctl-metrics.fly.dev" &&
    request.method === "POST" &&
    /^\/v1\/\w+$/.test(request.target);
  if (!isReport || effectiveMethods(request).length > 1 || asksForUpgrade(request)) return undefined;
  const reason = "the usage report of a command line tool";
  return { protocol: "fly", tier: "observe", command: "metrics send", aliases: [], labels: {}, reason };
}

/** `<app>.fly.dev` names its app, and so do the paths of Fly's registry of images. */
function withApp(request: RequestHead, answer: Classification): Classification {
  const app =
    request.host === "registry.fly.io"
      ? /^\/v2\/([a-z0-9-]+)\//.exec(request.target)?.[1]
      : /^([a-z0-9-]+)\.fly\.dev$/.exec(request.host)?.[1];
  return withUnnamedPlaces(app === undefined ? answer : withLabels(answer, { app }));
}

/**
 * An app is in an organization that only its owner knows; a resource without a name of either is in one all
 * the same.
 */
function withUnnamedPlaces(answer: Classification): Classification {
  return withUnnamed(
    answer,
    ["app", "org"].filter((label) => answer.labels[label] === undefined),
  );
}

function classifyMethod(request: HttpRequest, method: string): Classification {
  const { path, query } = splitTarget(request.target);
  const reading = readPathSplitFirst(path);
  if (reading.kind === "ok") return classifySegments(request, method, reading.segments, query);
  const unknown = unknownClassification("fly", reading.reason);
  // Some server may still serve it: a lenient server's readings of it are judged as well.
  const [first, ...others] = lenientReadings(path)
    .map((segments) => classifySegments(request, method, segments, query))
    .filter((guess) => guess.tier !== "unknown" && guess.tier !== "observe");
  return first === undefined ? unknown : strictestOf(unknown, first, ...others);
}

function classifySegments(
  request: HttpRequest,
  method: string,
  segments: readonly string[],
  rawQuery: string | undefined,
): Classification {
  if (isGraphql(segments)) return classifyFlyGraphql(request, method);
  if (isAppCreation(segments) && method === "POST") return classifyAppCreation(request);
  if (segments[0] === "v1") return classifyRest("machines", method, segments.slice(1), rawQuery);
  if (segments[0] === "api" && segments[1] === "v1")
    return classifyRest("web", method, segments.slice(2), rawQuery);
  if (segments[0] === "prometheus" && segments.length > 2) return classifyMetrics(method, segments);
  return unknownClassification("fly", "the path belongs to no API of Fly's that is known");
}

function classifyRest(
  api: "machines" | "web",
  method: string,
  segments: readonly string[],
  rawQuery: string | undefined,
): Classification {
  const operation = findFlyOperation(api, method, segments);
  if (operation === undefined) return unpublished(method, segments);
  const query = parseQuery(rawQuery);
  if (operation.id.startsWith("apps.secrets.") && showsSecrets(query)) {
    const reason = "show_secrets returns the values";
    return plainAnswer({ ...operation, tier: stricter(operation.tier, "sensitive"), reason }, query);
  }
  return plainAnswer(operation, query);
}

function classifyAppCreation({ body }: HttpRequest): Classification {
  const reason = "apps.create writes";
  const named = (labels: Readonly<Record<string, string>>): Classification =>
    withUnnamedPlaces({
      protocol: "fly",
      tier: "modify",
      command: "apps.create",
      aliases: ["apps create"],
      labels,
      reason,
    });
  if (body.kind === "none") return named({});
  if (body.kind === "unread") return doubtful(named({}), `the body names the app, and ${body.why}`);
  const labels = creationLabels(body.bytes);
  return labels === undefined ? doubtful(named({}), "the body names no app for certain") : named(labels);
}

/** Go's decoder takes members in any case, and the last one wins: only the plain spelling is certain. */
function creationLabels(bytes: Uint8Array): Readonly<Record<string, string>> | undefined {
  const json = parseStrictJson(new TextDecoder().decode(bytes));
  if (!("value" in json) || typeof json.value !== "object" || json.value === null) return undefined;
  const labels: Record<string, string> = {};
  for (const [name, value] of Object.entries(json.value)) {
    const folded = name.toLowerCase();
    const label =
      folded === "app_name" || folded === "name" ? "app" : folded === "org_slug" ? "org" : undefined;
    if (label === undefined || value === null || value === "") continue;
    if (name !== folded || typeof value !== "string" || (labels[label] ?? value) !== value) return undefined;
    labels[label] = value;
  }
  return labels;
}

type Query = readonly (readonly [string, string])[] | undefined;

/** Whether the query asks for secrets: a value other than a spelling of false does, and a malformed query may. */
function showsSecrets(query: Query): boolean {
  if (query === undefined) return true;
  return query.some(([name, value]) => /^show_?secrets$/i.test(name) && !/^(?:0|f|false)$/i.test(value));
}

const stricter = (a: FlyOperation["tier"], b: FlyOperation["tier"]): FlyOperation["tier"] =>
  stricterTier(a, b) === a ? a : b;

function plainAnswer({ id, tier, reason, app, org }: FlyOperation, query: Query): Classification {
  const labels: Record<string, string> = {};
  if (app !== undefined) labels.app = app;
  const asked = org ?? (id === "apps.list" ? onlyValue(query, "org_slug") : undefined);
  if (asked !== undefined && asked !== "") labels.org = asked;
  const plain: Classification = {
    protocol: "fly",
    tier,
    command: id,
    aliases: flyNames(id),
    labels,
    reason,
  };
  if (NOWHERE.test(id)) return plain;
  if (!OF_ORGANIZATIONS.test(id)) return withUnnamedPlaces(plain);
  return withUnnamed(plain, labels.org === undefined ? ["org"] : []);
}

/** Operations on Fly itself, on the caller's session, and the names of organizations. */
const NOWHERE = /^(?:platform|regions|cli_sessions|tokens\.current|organizations\.list)\b/;

/** Operations on an organization's things other than its apps. */
const OF_ORGANIZATIONS = /^(?:organizations\.(?:get|regions|postgres)|postgres(?!\.attachments))\b/;

function onlyValue(query: Query, name: string): string | undefined {
  const values = (query ?? []).filter(([key]) => key === name);
  return values.length === 1 ? values[0]?.[1] : undefined;
}

/** Grafana's and flyctl's metrics: PromQL, which only reads, also by POST. */
function classifyMetrics(method: string, segments: readonly string[]): Classification {
  const org = segments[1] ?? "";
  const isQuery = method === "GET" || method === "HEAD" || method === "POST";
  if (!isQuery || segments[2] !== "api")
    return unknownClassification("fly", "no known path of the metrics API");
  return withUnnamedPlaces({
    protocol: "fly",
    tier: "observe",
    command: "prometheus.query",
    aliases: [],
    labels: { org },
    reason: "PromQL only reads",
  });
}

/** An operation nobody published is unknown; what its method and words say still counts beside that. */
function unpublished(method: string, segments: readonly string[]): Classification {
  const labels: Record<string, string> = {};
  if (segments[0] === "apps" && segments[1] !== undefined) labels.app = segments[1];
  if (segments[0] === "orgs" && segments[1] !== undefined) labels.org = segments[1];
  const words = segments.filter((_, index) => index !== 1).join(" ");
  const isRead = method === "GET" || method === "HEAD";
  const isWorst = !isRead && /\b(?:exec|tokens?|ssh|console)\b/.test(words);
  const tier = isWorst ? "break-glass" : method === "DELETE" ? "sensitive" : isRead ? "observe" : "modify";
  const plain = {
    protocol: "fly",
    tier,
    command: "",
    aliases: [],
    labels,
    reason: `the method ${method}`,
  } as const;
  return withUnnamedPlaces(doubtful(plain, "no published operation has this path and method"));
}
