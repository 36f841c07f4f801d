// helm: command lines, and hosts by method (chart repositories, OCI registries). What helm does to
// a cluster goes to the API server's host, and is kubectl's to classify.

import type { Classifier } from "../classifier.ts";
import { byMethodNeedsBody, classifyByMethod, TIER_BY_METHOD } from "../generic/classify.ts";
import { methodOperations, methodVocabulary, toolOperations } from "../generic/known-operations.ts";
import { renderKubernetesStatus } from "../kubectl/refusal.ts";
import { classifyHelmArgv, HELM_COMMANDS, helmPlainName } from "./argv.ts";
import { helmLiveClient } from "./live-client.ts";

const HOSTS: readonly RegExp[] = [
  /^get\.helm\.sh$/,
  // `helm search hub` asks these.
  /^(?:hub\.helm\.sh|artifacthub\.io)$/,
];

/** The classifier of the policy's `helm` block. */
export const helmClassifier: Classifier = {
  protocol: "helm",
  covers: "Hosts that helm talks to, judged by HTTP method.",
  scopes: [],
  programs: ["helm"],
  isOwnHost: (host) => HOSTS.some((pattern) => pattern.test(host)),
  liveClients: [helmLiveClient],
  needsBody: byMethodNeedsBody,
  classify: (request) => classifyByMethod("helm", request),
  operations: () => [...toolOperations("helm", HELM_COMMANDS), ...methodOperations(TIER_BY_METHOD)],
  vocabulary: methodVocabulary(isPlugin, helmPlainName),
  classifyArgv: classifyHelmArgv,
  refusal: renderKubernetesStatus,
};

/** A word that may name a plugin; one that begins like a command of helm counts as misspelt. */
function isPlugin(command: string): boolean {
  return (
    /^[a-z][a-z0-9-]*$/.test(command) &&
    ![...HELM_COMMANDS.keys()].some((known) => known.slice(0, 3) === command.slice(0, 3))
  );
}
