// Hosts without a classifier of their own, tiered by HTTP method alone, with one
// exception: a destructive word in the path counts at least as a deletion. Of a body
// only a form's `_method` counts. Fields by which a server may carry out another method
// or path than the sent one raise the tier and never lower it. Whatever HTTP does not
// define a tier for (other methods, upgrades) is unknown.

import type { Classification } from "../../model/classification.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { HttpRequest, RequestHead } from "../../model/request.ts";
import { stricterTier, type Tier } from "../../model/tier.ts";
import { splitTarget } from "../../wire/path.ts";
import type { Classifier } from "../classifier.ts";
import { decodeLoosely } from "../lenient-path.ts";
import { effectiveMethods, formMethods, mayBeForm } from "../method-override.ts";
import { strictestOf } from "../strictest.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { asksForUpgrade, upgradeOf } from "../upgrade.ts";
import { methodOperations, methodVocabulary } from "./known-operations.ts";
import { genericLiveClient } from "./live-client.ts";

/** Tiers of the methods that have one. */
export const TIER_BY_METHOD: ReadonlyMap<string, Tier> = new Map([
  ["GET", "observe"],
  ["HEAD", "observe"],
  ["OPTIONS", "observe"],
  ["POST", "modify"],
  ["PUT", "modify"],
  ["PATCH", "modify"],
  // terraform's http backend locks its state with WebDAV's methods.
  ["LOCK", "modify"],
  ["UNLOCK", "modify"],
  ["DELETE", "sensitive"],
]);

const DESTRUCTIVE = /^(?:delete|destroy|drop|purge|terminate|evict)$/i;
const MAYBE_DESTRUCTIVE = /delete|destroy|drop|purge|terminate|evict/i;

/** The destructive whole word in a path (`delete-user`, `bulkDelete`, not `dropbox`), lower case; undefined when there is none. */
export function destructiveWord(path: string): string | undefined {
  let text = path;
  // Three rounds: a proxy and a framework behind it may decode one after the other.
  for (let round = 0; round < 3 && text.includes("%"); round++) text = decodeLoosely(text);
  if (!MAYBE_DESTRUCTIVE.test(text)) return undefined;
  const words = text
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, "$1 $2")
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2")
    .split(/[^\p{L}]+/u);
  return words.find((word) => DESTRUCTIVE.test(word))?.toLowerCase();
}

/** Whether the body may change what `classifyByMethod` answers: a form may name another method. */
export function byMethodNeedsBody(head: RequestHead): boolean {
  return mayBeForm(head);
}

/** Tiers a request by its method for any protocol whose hosts have no better rule (terraform, helm, `*.fly.dev`). */
export function classifyByMethod(protocol: Protocol, request: HttpRequest): Classification {
  const plain = classifyEach(protocol, request);
  const inForm = mayBeForm(request) ? formMethods(request) : [];
  const whole =
    "problem" in inForm
      ? doubtful(plain, inForm.problem)
      : inForm.length === 0
        ? plain
        : strictestOf(plain, ...inForm.map((method) => classifyEach(protocol, { ...request, method })));
  return asksForUpgrade(request) ? doubtful(whole, "an upgraded connection can carry anything") : whole;
}

/** Every path that may be carried out under every method that may be meant. */
function classifyEach(protocol: Protocol, head: RequestHead): Classification {
  const targets = [head.target, ...otherTargets(head.headers)];
  const words = targets.map((target) => destructiveWord(splitTarget(target).path));
  const word = words.find((one) => one !== undefined);
  const [sent, ...overrides] = effectiveMethods(head);
  if (targets.some(isBatch))
    return unknownClassification(protocol, "a batch holds requests that nobody reads");
  const plain = strictestOf(
    tierOfMethod(protocol, sent, word),
    ...overrides.map((method) => tierOfMethod(protocol, method, word)),
  );
  return targets.length > MOST_TARGETS ? doubtful(plain, "several fields name another path") : plain;
}

/** OData's batches hold any requests, of any method. */
function isBatch(target: string): boolean {
  const { path } = splitTarget(target);
  return /(?:\$|%)(?:24)?batch/i.test(path) && /(?:^|\/)\$batch\/?$/i.test(decodeLoosely(path));
}

/** The sent path and two others: IIS sets one field, a proxy before it may set the other. */
const MOST_TARGETS = 3;

/** Fields from which IIS, Symfony and their like take the path to carry out, with dashes or underscores. */
const PATH_FIELD = /^x[-_](?:original|rewrite)[-_]ur[il]$/i;

function otherTargets(headers: RequestHead["headers"]): readonly string[] {
  const found: string[] = [];
  for (const [name, value] of headers)
    if (name.length >= 13 && name.length <= 14 && PATH_FIELD.test(name) && found.length < MOST_TARGETS)
      found.push(value);
  return found;
}

function tierOfMethod(protocol: Protocol, method: string, word: string | undefined): Classification {
  const byMethod = TIER_BY_METHOD.get(method);
  const tier = word === undefined ? byMethod : stricterTier(byMethod ?? "sensitive", "sensitive");
  if (byMethod === undefined || tier === undefined)
    return unknownClassification(protocol, `the method ${method} has no tier`, { command: method });
  const reason = word === undefined ? `the method ${method}` : `the word '${word}' in the path`;
  return { protocol, tier, command: method, aliases: [], labels: {}, reason };
}

/**
 * A WebSocket to a host that nobody knows can carry anything, but it is one thing, and its handshake is a read: as
 * the command `websocket` a rule can allow it. No rule about reads does.
 */
function classifyGeneric(request: HttpRequest): Classification {
  const { headers } = request;
  const isWebSocket = request.method === "GET" && upgradeOf(request) === "websocket";
  if (!isWebSocket) return classifyByMethod("generic", request);
  const handshake = classifyByMethod("generic", {
    ...request,
    headers: headers.filter(([name]) => !/^(?:upgrade|connection)$/i.test(name)),
  });
  if (handshake.tier !== "observe") return doubtful(handshake, "an upgraded connection can carry anything");
  return {
    ...handshake,
    tier: "break-glass",
    command: "websocket",
    reason: "a WebSocket can carry anything",
  };
}

/** Any host, by method. */
export const genericClassifier: Classifier = {
  protocol: "generic",
  covers: "Any other host, judged by HTTP method; the only block whose inspect list may hold '*'.",
  scopes: [],
  programs: [],
  liveClients: [genericLiveClient],
  needsBody: byMethodNeedsBody,
  classify: classifyGeneric,
  operations: () => [
    ...methodOperations(TIER_BY_METHOD),
    { command: "websocket", aliases: [], tier: "break-glass" },
  ],
  vocabulary: methodVocabulary(),
  classifyArgv: (argv) =>
    unknownClassification("generic", `no classifier reads the program '${argv[0] ?? ""}'`),
};
