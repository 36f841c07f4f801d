// Stands in the registry for a protocol whose classifier is not written yet. Every
// answer is unknown, so such traffic waits for a person and is never let through by tier.

import type { Protocol } from "../model/protocol.ts";
import type { Classifier } from "./classifier.ts";
import { unknownClassification } from "./unknown.ts";

/** A classifier that can tell nothing; `programs` are the command lines it will read one day. */
export function pendingClassifier(protocol: Protocol, programs: readonly string[]): Classifier {
  const answer = unknownClassification(protocol, `no classifier for ${protocol} yet`);
  return {
    protocol,
    scopes: [],
    programs,
    needsBody: () => false,
    classify: () => answer,
    classifyArgv: () => answer,
  };
}
