// Plain REST: host, target and method to a classification. Looks the operation up among
// the published ones and falls back to the shape of the path.

import type { Classification } from "../../../model/classification.ts";
import type { HttpRequest } from "../../../model/request.ts";
import { strictestOf } from "../../strictest.ts";
import { doubtful, unknownClassification } from "../../unknown.ts";
import { withSpanned, withUnnamed } from "../../unnamed-scopes.ts";
import { bodyRuleOf, bodyText } from "../body.ts";
import type { GoogleHost } from "../host.ts";
import { pathLabels, projectInQuery, withPlaces } from "../labels.ts";
import { findMethod, type GoogleService, googleService, type PublishedMethod } from "../methods.ts";
import { unnamedPlaces } from "../scopes.ts";
import { type GoogleOperation, googleTier } from "../tier.ts";
import { verbKind } from "../verbs.ts";
import { shapedOperation } from "./shape.ts";
import { predefinesAccess } from "./storage.ts";
import { type GoogleTarget, withDoubtfulVerb } from "./target.ts";

const PUBLISHED: Readonly<Record<string, PublishedMethod>> = {
  GET: "GET",
  HEAD: "GET",
  OPTIONS: "GET",
  POST: "POST",
  PUT: "PUT",
  PATCH: "PATCH",
  DELETE: "DELETE",
};

/** Classifies one REST request under one method; the body is looked at only where `googleRestNeedsBody` says so. */
export function classifyGoogleRest(
  host: GoogleHost,
  target: GoogleTarget,
  method: string,
  request: HttpRequest,
): Classification {
  const published = Object.hasOwn(PUBLISHED, method) ? PUBLISHED[method] : undefined;
  if (published === undefined) return unknownClassification("gcloud", `unknown method '${method}'`);
  const plain = withBody(operate(host, target, method, published), target, request);
  if (target.doubtfulVerb === undefined) return plain;
  // An encoded colon: some servers see a custom verb there, others part of the name.
  const other = operate(host, withDoubtfulVerb(target), method, published);
  const isVerb = other.isPublished || verbKind(target.doubtfulVerb) !== undefined;
  return isVerb
    ? doubtful(strictestOf(plain, other.answer), "an encoded colon before what may be a verb")
    : plain;
}

/** Whether the body of the request decides, too. */
export function googleRestNeedsBody(host: GoogleHost, target: GoogleTarget, method: string): boolean {
  const published = Object.hasOwn(PUBLISHED, method) ? PUBLISHED[method] : undefined;
  if (published === undefined || published === "GET" || published === "DELETE" || target.kind !== "rest")
    return false;
  return bodyRuleOf(operate(host, target, method, published).answer.command) !== undefined;
}

/** An operation with its answer as far as the head tells. */
interface Operated {
  readonly answer: Classification;
  readonly isPublished: boolean;
}

/** Adds what body and query say about access; the body of an upload is the thing itself and is not read. */
function withBody({ answer }: Operated, target: GoogleTarget, request: HttpRequest): Classification {
  if (answer.command.startsWith("storage.") && answer.tier !== "observe" && predefinesAccess(target.query))
    return { ...answer, tier: "break-glass", reason: "changes who has access" };
  // Bigtable's data API is in no published list: its operations are named by the shape of their paths.
  const rule = target.kind === "rest" ? bodyRuleOf(answer.command) : undefined;
  if (rule === undefined) return answer;
  const text = bodyText(request.body);
  if (text === undefined) return doubtful(answer, "the body decides, and it was not read");
  const finding = rule(text);
  return finding === undefined ? answer : { ...answer, ...finding };
}

function operate(
  host: GoogleHost,
  target: GoogleTarget,
  method: string,
  published: PublishedMethod,
): Operated {
  const { verb } = target;
  const { name, service } = serviceOf(host, target.segments);
  const found = service === undefined ? undefined : lookUp(service, target, published);
  if (found?.id !== undefined) {
    const parts = found.id.split(".");
    const [api = "", ...words] = parts.slice(0, -1);
    const operation = { api, words, verb: parts.at(-1) ?? "", method, isPublished: true };
    return answer(host, name, target, operation, found.segments, found.isWord, found.id);
  }
  const isName = verb !== undefined && isPartOfName(target.segments, verb);
  const segments = isName ? joinVerb(target.segments, verb) : target.segments;
  const shaped = shapedOperation(segments, isName ? undefined : verb, method);
  const words = shaped.words[0] === name ? shaped.words.slice(1) : shaped.words;
  const api = service?.prefix ?? name;
  const operation = { api, words, verb: shaped.verb, method, isPublished: false };
  return answer(
    host,
    name,
    target,
    operation,
    segments,
    shaped.isWord,
    [api, ...words, shaped.verb].join("."),
  );
}

/** Hosts that serve many APIs: the first segment of the path names the service. */
const SHARED_HOSTS: ReadonlySet<string> = new Set(["www", "content", "clients", "private", "restricted"]);

/** The service that a request is for; a request without a service in its path on a shared host is the login API's. */
function serviceOf(
  host: GoogleHost,
  segments: readonly string[],
): { readonly name: string; readonly service: GoogleService | undefined } {
  if (!SHARED_HOSTS.has(host.service)) return { name: host.service, service: googleService(host.service) };
  const first = segments[0] ?? "";
  const service = googleService(first);
  if (service !== undefined) return { name: first, service };
  return {
    name: first,
    service: first === "oauth2" || first === "userinfo" ? googleService("www") : undefined,
  };
}

interface LookedUp {
  readonly id: string | undefined;
  readonly isWord: readonly boolean[];
  readonly segments: readonly string[];
}

/** First with the verb as a verb, then with the colon as part of a name (`sha256:ab12`, `example.com:legacy`). */
function lookUp(
  service: GoogleService,
  target: GoogleTarget,
  published: PublishedMethod,
): LookedUp | undefined {
  // A resumable upload starts by POST and goes on by PUT to the same path.
  if (target.kind === "upload" && published === "PUT") return lookUp(service, target, "POST");
  const { segments, verb } = target;
  const found = findMethod(service, segments, verb, published);
  if (found?.id !== undefined || verb === undefined) return found && { ...found, segments };
  if (!isPartOfName(segments, verb)) return undefined;
  const joined = joinVerb(segments, verb);
  const named = findMethod(service, joined, undefined, published);
  return named && { ...named, segments: joined };
}

/** Whether `name:verb` is rather one name: a project of a domain, a digest, a Firebase app. */
function isPartOfName(segments: readonly string[], verb: string): boolean {
  if (verbKind(verb) !== undefined) return false;
  const isProject = segments.at(-2) === "projects" || segments.at(-2) === "apps";
  return (isProject && segments.at(-1)?.includes(".") === true) || /^(?=[a-f]*\d)[0-9a-f]{10,}$/.test(verb);
}

function joinVerb(segments: readonly string[], verb: string): string[] {
  return [...segments.slice(0, -1), `${segments.at(-1)}:${verb}`];
}

function answer(
  host: GoogleHost,
  service: string,
  target: GoogleTarget,
  operation: GoogleOperation,
  segments: readonly string[],
  isWord: readonly boolean[],
  command: string,
): Operated {
  const { tier, rule } = googleTier(operation);
  const labels = pathLabels(service, segments, isWord);
  const project = operation.isPublished ? projectInQuery(command, target.query) : undefined;
  if (project !== undefined) labels.project ??= project;
  if (host.location !== undefined && !("location" in labels || "zone" in labels || "region" in labels))
    labels.location = host.location;
  const reason = `${rule} (${operation.isPublished ? "published method" : "by the shape of the path"})`;
  const { api, isPublished } = operation;
  const placed = withPlaces(labels);
  const found = { protocol: "gcloud", tier, command, aliases: [], labels: placed, reason } as const;
  const hasProjects = googleService(service)?.hasProjects ?? true;
  const places = unnamedPlaces({ api, command, tier, segments, isWord, labels: placed, hasProjects });
  return { answer: withSpanned(withUnnamed(found, places.unnamed), places.spanned), isPublished };
}
