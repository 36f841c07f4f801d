// Requests to Cloudflare's API and the command lines of wrangler and flarectl. Path dialect: split,
// then decode, because keys of KV hold encoded slashes; a path with two readings is unknown. Which
// paths exist is cloudflare-operations.ts's, which tier they have cloudflare-tier.ts's.

import type { Classification } from "../../model/classification.ts";
import type { HttpRequest, RequestHead } from "../../model/request.ts";
import { readPathSplitFirst, splitTarget } from "../../wire/path.ts";
import type { Classifier } from "../classifier.ts";
import { byMethodNeedsBody, classifyByMethod } from "../generic/classify.ts";
import { graphqlNeedsBody } from "../graphql/request.ts";
import { decodeLoosely, lenientReadings } from "../lenient-path.ts";
import { effectiveMethods } from "../method-override.ts";
import { strictestOf } from "../strictest.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { withUnnamed } from "../unnamed-scopes.ts";
import { asksForUpgrade } from "../upgrade.ts";
import { withLabels } from "../with-labels.ts";
import { classifyCloudflareArgv } from "./argv.ts";
import { isCloudflareJudgedByBody, withBody } from "./body.ts";
import { classifyCloudflareGraphql } from "./graphql.ts";
import { cloudflareOperations } from "./known-operations.ts";
import { cloudflareLiveClient } from "./live-client.ts";
import { findCloudflareOperation } from "./operations.ts";
import { renderCloudflareError } from "./refusal.ts";
import { unnamedByCloudflare } from "./scopes.ts";
import { tierOfCloudflareOperation } from "./tier.ts";
import { cloudflareVocabulary } from "./vocabulary.ts";

const ID = { pattern: /^[0-9a-f]{32}$/, what: "ids of 32 hexadecimal digits, as the API does" };

const HOSTS: readonly RegExp[] = [
  /^api\.(?:fed\.)?cloudflare\.com$/,
  // The login of wrangler.
  /^dash\.cloudflare\.com$/,
  /\.r2\.cloudflarestorage\.com$/,
];

/** The classifier of the policy's `cloudflare` block. */
export const cloudflareClassifier: Classifier = {
  protocol: "cloudflare",
  covers: "Cloudflare API traffic (wrangler, flarectl).",
  scopes: [
    { keyword: "accounts", label: "account", form: ID },
    { keyword: "zones", label: "zone", form: ID },
  ],
  programs: ["wrangler", "flarectl"],
  isOwnHost: (host) => HOSTS.some((pattern) => pattern.test(host)),
  liveClients: [cloudflareLiveClient],
  needsBody,
  classify,
  operations: cloudflareOperations,
  vocabulary: cloudflareVocabulary,
  classifyArgv: classifyCloudflareArgv,
  refusal: renderCloudflareError,
};

function needsBody(head: RequestHead): boolean {
  const { path } = splitTarget(head.target);
  if (!isApi(head.host, path)) return byMethodNeedsBody(head);
  const reading = readPathSplitFirst(path);
  // An ambiguous path needs the body if any lenient reading of it does.
  const readings = reading.kind === "ok" ? [reading.segments] : lenientReadings(path);
  return readings.some((segments) => {
    const below = belowApi(segments);
    return isGraphql(below) ? graphqlNeedsBody(head) : below !== undefined && isBodyWanted(head, below);
  });
}

function isBodyWanted(head: RequestHead, segments: readonly string[]): boolean {
  return (
    (segments[2] === "d1" || segments[2] === "dns_records") &&
    effectiveMethods(head).some((method) =>
      isCloudflareJudgedByBody(findCloudflareOperation(method, segments)?.id ?? ""),
    )
  );
}

function classify(request: HttpRequest): Classification {
  const { path } = splitTarget(request.target);
  const login = classifyLogin(request, path);
  if (login !== undefined) return login;
  if (!isApi(request.host, path)) return classifyOther(request);
  const [sent, ...overrides] = effectiveMethods(request);
  const answer = strictestOf(
    classifyMethod(request, path, sent),
    ...overrides.map((method) => classifyMethod(request, path, method)),
  );
  return asksForUpgrade(request) ? doubtful(answer, "an upgraded connection can carry anything") : answer;
}

/** wrangler's own login and the refresh of its token, which every command may need. */
function classifyLogin(request: RequestHead, path: string): Classification | undefined {
  if (request.host !== "dash.cloudflare.com" || request.method !== "POST" || path !== "/oauth2/token")
    return undefined;
  if (effectiveMethods(request).length > 1 || asksForUpgrade(request)) return undefined;
  const reason = "the refresh of wrangler's own token";
  return {
    protocol: "cloudflare",
    tier: "observe",
    command: "oauth2.token",
    aliases: [],
    labels: {},
    reason,
  };
}

/** R2 speaks S3, where many objects are deleted by one POST. */
function classifyOther(request: HttpRequest): Classification {
  const plain = classifyByMethod("cloudflare", request);
  const account = /^([0-9a-f]+)\.(?:[a-z]+\.)?r2\.cloudflarestorage\.com$/.exec(request.host)?.[1];
  // Somebody's worker or site, in a zone and an account that its name does not tell.
  if (account === undefined) return withUnnamed(plain, ["account", "zone"]);
  const { query } = splitTarget(request.target);
  if (!/(?:^|&)delete(?:=|&|$)/.test(decodeLoosely(query ?? ""))) return withLabels(plain, { account });
  const reason = "deletes the objects that the body names";
  const { parts: _, ...alone } = plain;
  const deletion: Classification = { ...alone, tier: "sensitive", reason };
  return withLabels(plain.tier === "observe" ? plain : strictestOf(plain, deletion), { account });
}

/** Workers, Pages and the like are somebody's own servers, unless the request is one that only the API gets. */
function isApi(host: string, path: string): boolean {
  return /^api\.(?:[a-z-]+\.)?cloudflare\.com$/.test(host) || /^\/client\b/.test(path);
}

/** The segments below `/client/v4`; undefined for another path. */
function belowApi(segments: readonly string[]): readonly string[] | undefined {
  return segments[0] === "client" && segments[1] === "v4" ? segments.slice(2) : undefined;
}

function isGraphql(segments: readonly string[] | undefined): boolean {
  return segments?.length === 1 && segments[0] === "graphql";
}

function classifyMethod(request: HttpRequest, path: string, method: string): Classification {
  const reading = readPathSplitFirst(path);
  if (reading.kind === "ok") return classifySegments(request, reading.segments, method);
  const unknown = unknownClassification("cloudflare", reading.reason);
  // Some server may still serve it: a lenient server's readings of it are judged as well.
  const [first, ...others] = lenientReadings(path)
    .map((segments) => classifySegments(request, segments, method))
    .filter((guess) => guess.tier !== "unknown" && guess.tier !== "observe");
  return first === undefined ? unknown : strictestOf(unknown, first, ...others);
}

function classifySegments(request: HttpRequest, segments: readonly string[], method: string): Classification {
  const below = belowApi(segments);
  if (below === undefined) return unknownClassification("cloudflare", "the path is not below /client/v4");
  if (isGraphql(below)) return classifyCloudflareGraphql(request, method);
  const operation = findCloudflareOperation(method, below);
  if (operation === undefined) return unpublished(method, below);
  const labels: Record<string, string> = {};
  if (operation.account !== undefined) labels.account = operation.account;
  if (operation.zone !== undefined) labels.zone = operation.zone;
  const { tier, reason } = tierOfCloudflareOperation(method, operation);
  const plain: Classification = {
    protocol: "cloudflare",
    tier,
    command: operation.id,
    aliases: [],
    labels,
    reason,
  };
  const whole = isCloudflareJudgedByBody(operation.id) ? withBody(plain, request.body) : plain;
  return withUnnamed(whole, unnamedByCloudflare(operation, whole.tier === "observe"));
}

/** An operation nobody published is unknown; what its words say still counts beside that. */
function unpublished(method: string, segments: readonly string[]): Classification {
  const [kind, name] = segments;
  const labels: Record<string, string> = {};
  if (kind === "accounts" && name !== undefined) labels.account = name;
  if (kind === "zones" && name !== undefined) labels.zone = name;
  const words = segments.filter((segment) => segment !== name);
  const guess = { id: words.join("."), words, account: labels.account, zone: labels.zone };
  const { tier, reason } = tierOfCloudflareOperation(method, guess);
  const plain = { protocol: "cloudflare", tier, command: "", aliases: [], labels, reason } as const;
  const unnamed = unnamedByCloudflare(guess, tier === "observe");
  return withUnnamed(doubtful(plain, "no published operation has this path and method"), unnamed);
}
