// gRPC calls to Google services: `/google.pubsub.v1.Publisher/Publish`. The path names service and
// method; the message is not read, so there are no labels, and a routing field
// (x-goog-request-params) gives none either, because the client may write anything there.

import type { Classification } from "../../../model/classification.ts";
import type { HttpRequest } from "../../../model/request.ts";
import { stricterTier } from "../../../model/tier.ts";
import { decodePercent } from "../../../wire/path.ts";
import { doubtful, unknownClassification } from "../../unknown.ts";
import { withUnnamed } from "../../unnamed-scopes.ts";
import { EVERY_PLACE } from "../scopes.ts";
import { googleTier, type RuledTier, tierOfResource } from "../tier.ts";
import { grpcFinding } from "./grpc-body.ts";

/** A call taken apart. */
export interface GrpcCall {
  /** Protobuf package, `google.pubsub.v1`. */
  readonly package: string;
  readonly service: string;
  readonly method: string;
  /** A stream of calls over a WebSocket, which opens by GET. */
  readonly isSocket: boolean;
}

// /$rpc/ and /ws/ are the same calls from browsers: JSON over HTTP, and WebSocket for streams.
const CALL = /^\/(?:(?:\$rpc|ws)\/)?([a-z][\w.]*)\.([A-Z]\w*)[/.]([A-Z]\w*)$/;

/** The call that a path names, escaped letters or not; undefined for any other path. */
export function readGrpcPath(path: string): GrpcCall | undefined {
  const match = CALL.exec(decodePercent(path) ?? "");
  if (match === null) return undefined;
  return {
    package: match[1] ?? "",
    service: match[2] ?? "",
    method: match[3] ?? "",
    isSocket: path.startsWith("/ws/"),
  };
}

/** Classifies a call by the words of its method. */
export function classifyGrpc(call: GrpcCall, httpMethod: string, request: HttpRequest): Classification {
  const command = `${call.package}.${call.service}.${call.method}`;
  const names = { command, aliases: [`${call.package}.${call.service}/${call.method}`] };
  if (httpMethod !== (call.isSocket ? "GET" : "POST"))
    return unknownClassification("gcloud", "a call by the wrong method", names);
  const verb = lowerFirst(call.method);
  const { tier, rule } = strictestRule([
    googleTier({
      api: apiOf(call),
      words: [resourceOf(call.method)],
      verb: LONG_VERBS.get(verb) ?? verb,
      method: "POST",
      isPublished: false,
    }),
    ...twinRules(call),
  ]);
  const reason = `${rule} (by the name of the call)`;
  const plain = withUnnamed({ protocol: "gcloud", tier, ...names, labels: {}, reason }, EVERY_PLACE);
  const finding = grpcFinding(call, request);
  if (finding === undefined) return plain;
  if ("doubt" in finding) return doubtful(plain, finding.doubt);
  return stricterTier(plain.tier, finding.tier) === plain.tier ? plain : { ...plain, ...finding };
}

/**
 * `QueryReasoningEngine` is REST's `reasoningEngines:query`: what holds for a resource holds for its call, wherever in
 * the name the verb may end.
 */
function twinRules(call: GrpcCall): readonly RuledTier[] {
  const words = call.method.match(/[A-Z]+[a-z0-9]*/g) ?? [];
  const rules: RuledTier[] = [];
  for (let at = 1; at < Math.min(words.length, MOST_WORDS); at++) {
    const verb = lowerFirst(words.slice(0, at).join(""));
    const resource = pluralOf(lowerFirst(words.slice(at).join("")));
    const rule = tierOfResource(
      {
        api: apiOf(call),
        words: [resource],
        verb,
        method: "POST",
        isPublished: false,
      },
      lowerFirst(call.method),
    );
    if (rule !== undefined) rules.push(rule);
  }
  return rules;
}

/** Longer names than Google gives; the bound keeps made-up ones cheap. */
const MOST_WORDS = 12;

function strictestRule(rules: readonly [RuledTier, ...RuledTier[]]): RuledTier {
  return rules.reduce((a, b) => (b.tier !== a.tier && stricterTier(a.tier, b.tier) === b.tier ? b : a));
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
const pluralOf = (noun: string): string => (noun.endsWith("s") || noun === "" ? noun : `${noun}s`);

/** gRPC spells out the resource where REST has a custom verb. */
const LONG_VERBS: ReadonlyMap<string, string> = new Map([
  ["accessSecretVersion", "getKeyString"],
  ["renderParameterVersion", "getKeyString"],
  ["bidiGenerateContent", "generateContent"],
]);

/** `google.iam.admin.v1` is iam, `google.cloud.kms.v1` kms, `google.iam.credentials.v1` iamcredentials. */
function apiOf(call: GrpcCall): string {
  if (call.service === "IAMCredentials") return "iamcredentials";
  const words = call.package.split(".").filter((word) => !/^(?:google|cloud|v\d\w*|admin)$/.test(word));
  return words[0] ?? "";
}

/** `CreateServiceAccountKey` acts on `serviceAccountKeys`. */
function resourceOf(method: string): string {
  const noun = method.replace(/^[A-Z][a-z]*/, "");
  return pluralOf(lowerFirst(noun));
}
