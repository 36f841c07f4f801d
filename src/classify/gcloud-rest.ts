// Plain REST: host, target and method to a classification. Looks the operation up among
// the published ones and falls back to the shape of the path.

import type { Classification } from "../model/classification.ts";
import { stricterTier } from "../model/tier.ts";
import type { GoogleHost } from "./gcloud-host.ts";
import { pathLabels, withPlaces } from "./gcloud-labels.ts";
import { findMethod, type GoogleService, googleService, type MethodLetter } from "./gcloud-methods.ts";
import { shapedOperation } from "./gcloud-shape.ts";
import type { GoogleTarget } from "./gcloud-target.ts";
import { googleTier } from "./gcloud-tier.ts";
import { verbKind } from "./gcloud-verbs.ts";
import { unknownClassification } from "./unknown.ts";

const LETTERS: Readonly<Record<string, MethodLetter>> = {
  GET: "G",
  HEAD: "G",
  OPTIONS: "G",
  POST: "P",
  PUT: "U",
  PATCH: "A",
  DELETE: "D",
};

/** Classifies one REST request under one method. */
export function classifyRest(host: GoogleHost, target: GoogleTarget, method: string): Classification {
  const letter = Object.hasOwn(LETTERS, method) ? LETTERS[method] : undefined;
  if (letter === undefined) return unknownClassification("gcloud", `unknown method "${method}"`);
  const plain = operate(host, target, target.verb, method, letter);
  if (target.doubtfulVerb === undefined) return plain;
  // An encoded colon: some servers see a custom verb there, others part of the name.
  const isVerb =
    verbKind(target.doubtfulVerb) !== undefined ||
    operate(host, cutVerb(target), target.doubtfulVerb, method, letter).tier !== "unknown";
  return isVerb
    ? unknownClassification("gcloud", "encoded colon before what may be a verb", { labels: plain.labels })
    : plain;
}

function cutVerb(target: GoogleTarget): GoogleTarget {
  const segments = [...target.segments];
  const last = segments.pop() ?? "";
  return { ...target, segments: [...segments, last.slice(0, last.lastIndexOf(":"))] };
}

function operate(
  host: GoogleHost,
  target: GoogleTarget,
  verb: string | undefined,
  method: string,
  letter: MethodLetter,
): Classification {
  const name = host.service === "www" ? (target.segments[0] ?? "") : host.service;
  const service = googleService(name) ?? (host.service === "www" ? googleService("www") : undefined);
  const { segments } = target;
  const found = service === undefined ? undefined : lookUp(service, segments, verb, letter);
  if (found?.id !== undefined) {
    const parts = found.id.split(".");
    const operation = {
      api: parts[0] ?? "",
      words: parts.slice(1, -1),
      verb: parts.at(-1) ?? "",
      method,
      isPublished: true,
    };
    return answer(host, name, target, operation, found.segments, found.isWord, found.id);
  }
  const shaped = shapedOperation(segments, verb, method);
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

interface LookedUp {
  readonly id: string | undefined;
  readonly isWord: readonly boolean[];
  readonly segments: readonly string[];
}

/** First with the verb as a verb, then with the colon as part of a name (`projects/example.com:legacy`). */
function lookUp(
  service: GoogleService,
  segments: readonly string[],
  verb: string | undefined,
  letter: MethodLetter,
): LookedUp | undefined {
  const found = findMethod(service, segments, verb, letter);
  if (found?.id !== undefined || verb === undefined) return found && { ...found, segments };
  const joined = [...segments.slice(0, -1), `${segments.at(-1)}:${verb}`];
  const isNamed = /[.\d]/.test(segments.at(-1) ?? "") && verbKind(verb) === undefined;
  const named = isNamed ? findMethod(service, joined, undefined, letter) : undefined;
  return named && { ...named, segments: joined };
}

function answer(
  host: GoogleHost,
  service: string,
  target: GoogleTarget,
  operation: Parameters<typeof googleTier>[0],
  segments: readonly string[],
  isWord: readonly boolean[],
  command: string,
): Classification {
  const { tier, rule } = googleTier(operation);
  const labels = pathLabels(service, segments, isWord);
  const project = target.query.find(([key]) => key === "project")?.[1];
  if (project !== undefined && project !== "") labels.project ??= project;
  if (
    host.location !== undefined &&
    labels.location === undefined &&
    labels.zone === undefined &&
    labels.region === undefined
  )
    labels.location = host.location;
  const basis = operation.isPublished ? "" : ", by the shape of the path";
  return {
    protocol: "gcloud",
    tier: stricterTier(tier, tier),
    command,
    aliases: [],
    labels: withPlaces(labels),
    reason: `${rule}${basis}`,
  };
}
