// Stands in the registry for a protocol whose classifier is not written yet. Every
// answer is unknown, so such traffic waits for a person and is never let through by tier.

import type { Protocol } from "../model/protocol.ts";
import type { Classifier, ScopeKeyword } from "./classifier.ts";
import { unknownClassification } from "./unknown.ts";

// A policy written for these protocols must load today as it will once they are classified.
const SCOPES: Partial<Record<Protocol, readonly ScopeKeyword[]>> = {
  aws: [
    { keyword: "accounts", label: "account" },
    { keyword: "regions", label: "region" },
    { keyword: "services", label: "service" },
  ],
  github: [
    { keyword: "repos", label: "repo" },
    { keyword: "orgs", label: "org" },
  ],
  cloudflare: [
    { keyword: "accounts", label: "account" },
    { keyword: "zones", label: "zone" },
  ],
  fly: [
    { keyword: "apps", label: "app" },
    { keyword: "orgs", label: "org" },
  ],
};

/** A classifier that can tell nothing; `programs` are the command lines it will read one day. */
export function pendingClassifier(protocol: Protocol, programs: readonly string[]): Classifier {
  const answer = unknownClassification(protocol, `no classifier for ${protocol} yet`);
  return {
    protocol,
    scopes: SCOPES[protocol] ?? [],
    programs,
    needsBody: () => false,
    classify: () => answer,
    classifyArgv: () => answer,
  };
}
