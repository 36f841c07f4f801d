// Google Cloud and the other googleapis.com services, from HTTP and from command lines.
// Decides which reader a request goes to and puts the answers together; each kind of
// endpoint has its own file. Whatever cannot be read for certain is unknown.

import type { Classification } from "../../model/classification.ts";
import { type HttpRequest, headerValues, type RequestHead } from "../../model/request.ts";
import { parseQuery, splitTarget } from "../../wire/path.ts";
import { programName } from "../argv.ts";
import type { Classifier } from "../classifier.ts";
import { decodeLoosely } from "../lenient-path.ts";
import { effectiveMethods, isOverrideField, methodOverrides } from "../method-override.ts";
import { strictestOf } from "../strictest.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { asksForUpgrade } from "../upgrade.ts";
import { classifyGcloudArgv } from "./argv.ts";
import { type BatchPart, readGoogleBatch } from "./batch.ts";
import { hasBodyRules } from "./body.ts";
import { classifyConnect, connectNeedsBody } from "./connect.ts";
import { classifyGrpc, readGrpcPath } from "./grpc/grpc.ts";
import { grpcNeedsBody } from "./grpc/grpc-body.ts";
import { type GoogleHost, readGoogleHost } from "./host.ts";
import { googleOperations } from "./known-operations.ts";
import { gcloudLiveClient } from "./live-client.ts";
import { classifyLogin } from "./login.ts";
import { renderGoogleError } from "./refusal.ts";
import { classifyGoogleRest, googleRestNeedsBody } from "./rest/rest.ts";
import { classifyXmlStorage, isXmlStorage } from "./rest/storage.ts";
import { readGoogleTarget } from "./rest/target.ts";
import { classifyBqArgv } from "./tools/bq.ts";
import { classifyGsutilArgv } from "./tools/gsutil.ts";
import { gcloudVocabulary } from "./vocabulary.ts";

const HOSTS: readonly RegExp[] = [
  /(?:^|\.)googleapis\.com$/,
  // The login of gcloud.
  /^accounts\.google\.com$/,
];

/** The classifier of the policy's `gcloud` block. */
export const gcloudClassifier: Classifier = {
  protocol: "gcloud",
  covers: "Google Cloud API traffic (gcloud, gsutil, bq, client libraries).",
  scopes: [
    {
      keyword: "projects",
      label: "project",
      form: { pattern: /\D/, what: "ids of projects, not their numbers" },
    },
    { keyword: "regions", label: "region" },
    { keyword: "zones", label: "zone" },
    {
      keyword: "orgs",
      label: "organization",
      form: { pattern: /^\d+$/, what: "the numbers of organizations" },
    },
  ],
  programs: ["gcloud", "gsutil", "bq"],
  isOwnHost: (host) => HOSTS.some((pattern) => pattern.test(host)),
  liveClients: [gcloudLiveClient],
  needsBody,
  classify,
  operations: googleOperations,
  vocabulary: gcloudVocabulary,
  classifyArgv,
  refusal: renderGoogleError,
};

function classifyArgv(argv: readonly string[]): Classification {
  const args = argv.slice(1);
  switch (programName(argv[0])) {
    case "gsutil":
      return classifyGsutilArgv(args);
    case "bq":
      return classifyBqArgv(args);
    default:
      return classifyGcloudArgv(args);
  }
}

function needsBody(head: RequestHead): boolean {
  const host = readGoogleHost(head.host);
  if (host === undefined) return false;
  if (connectNeedsBody(host, head)) return true;
  const call = readGrpcPath(splitTarget(head.target).path);
  if (call !== undefined) return grpcNeedsBody(call);
  if (!hasBodyRules(host.service) && !head.target.startsWith("/batch")) return false;
  const target = readGoogleTarget(head.target);
  if ("problem" in target) return false;
  if (target.kind === "batch") return true;
  return judgedMethods(head).some((method) => googleRestNeedsBody(host, target, method));
}

function classify(request: HttpRequest): Classification {
  const answer = classifyMethods(request, false);
  if (!asksForUpgrade(request)) return answer;
  const isStream = readGrpcPath(splitTarget(request.target).path)?.isSocket === true;
  return isStream ? answer : doubtful(answer, "nothing is known of an upgraded connection here");
}

function classifyMethods(request: HttpRequest, isPart: boolean): Classification {
  const [first, ...others] = judgedMethods(request);
  const answer = classifyMethod(request, first, isPart);
  if (others.length === 0) return answer;
  return strictestOf(answer, ...others.map((method) => classifyMethod(request, method, isPart)));
}

/** Every method that may be meant; only the override that Google documents takes the place of the sent one. */
function judgedMethods(head: RequestHead): readonly [string, ...string[]] {
  const methods = effectiveMethods(head);
  const inQuery = methodsInQuery(head.target);
  if (inQuery.length > 0) return [...methods, ...inQuery];
  if (methods.length === 1 || !isLongRead(head)) return methods;
  return ["GET", ...methods.filter((method) => method !== "GET" && method !== "POST")];
}

/**
 * A read too long for a URL, sent as POST with `X-HTTP-Method-Override: GET`
 * (https://cloud.google.com/apis/docs/http). Only the JSON REST API honours that field: not uploads, not the
 * XML API, not gRPC and WebChannel; and no other spelling of it.
 */
function isLongRead(head: RequestHead): boolean {
  if (head.method !== "POST") return false;
  const named = headerValues(head.headers, "x-http-method-override");
  if (named.length !== 1 || named[0]?.trim() !== "GET") return false;
  // A second one that asks for POST adds no method, so it must be looked for.
  if (methodOverrides(head).includes("POST")) return false;
  const { path, query = "" } = splitTarget(head.target);
  // The upload servers are asked for by fields as well as by paths, and they do not honour the override.
  if (/(?:^|[&;])(?:upload|%)/i.test(query) || head.headers.some(([name]) => IS_UPLOAD.test(name)))
    return false;
  const host = readGoogleHost(head.host);
  if (host === undefined || readGrpcPath(path) !== undefined || isXmlStorage(host, path)) return false;
  const target = readGoogleTarget(head.target);
  if ("problem" in target || target.kind !== "rest" || target.doubtfulVerb !== undefined) return false;
  return !target.segments.some(isCallName) && classifyConnect(host, { ...head, body: NO_BODY }) === undefined;
}

const IS_UPLOAD = /^x[-_](?:goog[-_])?upload/i;

const NO_BODY = { kind: "none" } as const;

/** `google.firestore.v1.Firestore`, as it stands before the method in a path of WebChannel. */
const isCallName = (segment: string): boolean => /^[a-z]\w*(?:\.\w+)*\.[A-Z]\w*$/.test(segment);

/**
 * Google's browser clients put method and fields into the query. Which of several counts is not known, so all do;
 * fields, another spelling and an unreadable value count as no method.
 */
function methodsInQuery(target: string): readonly string[] {
  const { query } = splitTarget(target);
  if (query === undefined || !IN_QUERY.test(decodeLoosely(query))) return [];
  const named = parseQuery(query)?.filter(([name]) => IN_QUERY.test(name)) ?? [];
  if (named.length === 0 || named.length > MOST_IN_QUERY) return [NO_METHOD];
  return named.map(([name, value]) => (name === "$httpMethod" ? value.toUpperCase() : NO_METHOD));
}

const IN_QUERY = /\$\.?http(?:Method|Headers)/i;
const MOST_IN_QUERY = 4;
const NO_METHOD = "UNKNOWN";

function classifyMethod(request: HttpRequest, method: string, isPart: boolean): Classification {
  const { path } = splitTarget(request.target);
  const login = classifyLogin(request.host, path, method);
  if (login !== undefined) return login;
  const host = readGoogleHost(request.host);
  if (host === undefined) return unknownClassification("gcloud", "not a host of a Google API");
  const cluster = classifyConnect(host, request);
  if (cluster !== undefined) return cluster;
  const call = readGrpcPath(path);
  if (call !== undefined) return classifyGrpc(call, method, request);
  if (isXmlStorage(host, path)) return classifyXmlStorage(host, request, method);
  const target = readGoogleTarget(request.target);
  if ("problem" in target) {
    const unknown = unknownClassification("gcloud", target.problem);
    // Some server may still serve it: a lenient server's readings of it are judged as well.
    const guesses = target.guesses
      .map((guess) => classifyGoogleRest(host, guess, method, request))
      .filter((guess) => guess.tier !== "observe" && guess.tier !== "unknown");
    return strictestOf(unknown, ...guesses);
  }
  if (target.kind !== "batch") return classifyGoogleRest(host, target, method, request);
  return isPart
    ? unknownClassification("gcloud", "a batch in a batch")
    : classifyBatch(host, request, method);
}

function classifyBatch(host: GoogleHost, request: HttpRequest, method: string): Classification {
  if (method !== "POST") return unknownClassification("gcloud", "a batch that is not a POST");
  if (request.body.kind === "none") return unknownClassification("gcloud", "a batch without a body");
  if (request.body.kind === "unread")
    return unknownClassification("gcloud", `a batch whose body was not read: ${request.body.why}`);
  const types = headerValues(request.headers, "content-type");
  const reading = readGoogleBatch(types.length === 1 ? types[0] : undefined, request.body.bytes);
  if ("problem" in reading) return unknownClassification("gcloud", reading.problem);
  const answers: Classification[] = [];
  let odd = 0;
  for (const part of reading.parts) {
    if (isOdd(part) && ++odd > MOST_ODD_PARTS) {
      answers.push(unknownClassification("gcloud", "a batch of too many parts with more than one reading"));
      break;
    }
    answers.push(classifyPart(request, part));
  }
  const [first, ...others] = answers;
  if (first === undefined) return unknownClassification("gcloud", `an empty batch for ${host.service}`);
  const strictest = strictestOf(first, ...others);
  return { ...strictest, reason: `${strictest.reason} (in a batch of ${reading.parts.length})` };
}

/** Parts that name another method, or whose path reads in several ways, take several judgements each. */
const MOST_ODD_PARTS = 20;

function isOdd({ target, headers }: BatchPart): boolean {
  return (
    target.length > 2000 ||
    /%|\/[/.]|_method|\$\.?http|\\/i.test(target) ||
    headers.some(([name]) => isOverrideField(name))
  );
}

/** A part is a request to the same host, unless it says otherwise by an absolute target. */
function classifyPart(outer: HttpRequest, part: BatchPart): Classification {
  const absolute = /^https:\/\/([a-z0-9.-]+)(?::443)?(\/.*)$/i.exec(part.target);
  if (absolute === null && !part.target.startsWith("/"))
    return unknownClassification("gcloud", "a part of the batch has no readable target");
  return classifyMethods(
    {
      method: part.method,
      host: absolute?.[1]?.toLowerCase() ?? outer.host,
      port: outer.port,
      target: absolute?.[2] ?? part.target,
      headers: part.headers,
      body: part.body.length === 0 ? { kind: "none" } : { kind: "whole", bytes: part.body },
    },
    true,
  );
}
