// terraform and tofu: command lines, and hosts by method (module and provider registries, HCP
// Terraform, state kept by the http backend, which locks with LOCK and UNLOCK). A provider's
// requests go to its cloud's host, and that protocol classifies them.

import type { Classification } from "../../model/classification.ts";
import type { HttpRequest } from "../../model/request.ts";
import { splitTarget } from "../../wire/path.ts";
import type { Classifier } from "../classifier.ts";
import { byMethodNeedsBody, classifyByMethod, TIER_BY_METHOD } from "../generic/classify.ts";
import { methodOperations, methodVocabulary, toolOperations } from "../generic/known-operations.ts";
import { decodeLoosely } from "../lenient-path.ts";
import { raisedToBreakGlass } from "../strictest.ts";
import { classifyTerraformArgv, TERRAFORM_COMMANDS } from "./argv.ts";
import { terraformLiveClient } from "./live-client.ts";
import { renderTerraformError } from "./refusal.ts";

const HOSTS: readonly RegExp[] = [
  /^(?:app|app\.eu|registry|archivist|archivist\.eu)\.terraform\.io$/,
  /^(?:releases|checkpoint-api)\.hashicorp\.com$/,
  /^registry\.opentofu\.org$/,
];

/** The classifier of the policy's `terraform` block. */
export const terraformClassifier: Classifier = {
  protocol: "terraform",
  covers: "Hosts that terraform or tofu talk to, judged by HTTP method; the clouds have blocks of their own.",
  scopes: [],
  programs: ["terraform", "tofu"],
  isOwnHost: (host) => HOSTS.some((pattern) => pattern.test(host)),
  liveClients: [terraformLiveClient],
  needsBody: byMethodNeedsBody,
  classify,
  operations: () => [...toolOperations("terraform", TERRAFORM_COMMANDS), ...methodOperations(TIER_BY_METHOD)],
  vocabulary: methodVocabulary(),
  classifyArgv: classifyTerraformArgv,
  refusal: renderTerraformError,
};

/** HCP Terraform's API issues tokens and grants access below these words. */
const ACCESS =
  /\/api\/v2\/(?:.*\/)?(?:authentication-tokens?|(?:team|organization)-memberships|team-access|team-projects|ssh-keys|oauth-clients|oauth-tokens|agent-tokens)(?:\/|$)/;

function classify(request: HttpRequest): Classification {
  const plain = classifyByMethod("terraform", request);
  if (plain.tier === "observe") return plain;
  const path = decodeLoosely(splitTarget(request.target).path);
  return request.method !== "DELETE" && ACCESS.test(path)
    ? raisedToBreakGlass(plain, "issues a credential or grants access")
    : plain;
}
