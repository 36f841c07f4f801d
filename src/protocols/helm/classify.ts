// helm: command lines, and hosts by method (chart repositories, OCI registries). What helm does to a cluster goes to
// the API server's host, and is kubectl's to classify.

import type { Classifier } from "../classifier.ts";
import { byMethodNeedsBody, classifyByMethod } from "../generic/classify.ts";
import { classifyHelmArgv } from "./argv.ts";

/** The classifier of the policy's `helm` block. */
export const helmClassifier: Classifier = {
  protocol: "helm",
  scopes: [],
  programs: ["helm"],
  needsBody: byMethodNeedsBody,
  classify: (request) => classifyByMethod("helm", request),
  classifyArgv: classifyHelmArgv,
};
