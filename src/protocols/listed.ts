// Written by `bun test/support/update-readme.ts` from the list in src/model/protocol.ts; never by
// hand. The imports are static, because a compiled binary has no folder to look through.

import { awsClassifier } from "./aws/classify.ts";
import type { Classifier } from "./classifier.ts";
import { cloudflareClassifier } from "./cloudflare/classify.ts";
import { flyClassifier } from "./fly/classify.ts";
import { gcloudClassifier } from "./gcloud/classify.ts";
import { genericClassifier } from "./generic/classify.ts";
import { githubClassifier } from "./github/classify.ts";
import { helmClassifier } from "./helm/classify.ts";
import { kubectlClassifier } from "./kubectl/classify.ts";
import { mcpClassifier } from "./mcp/classify.ts";
import { sshClassifier } from "./ssh/classify.ts";
import { terraformClassifier } from "./terraform/classify.ts";

/** The classifier of each protocol, in print order. */
export const LISTED: readonly Classifier[] = [
  kubectlClassifier,
  gcloudClassifier,
  awsClassifier,
  githubClassifier,
  terraformClassifier,
  helmClassifier,
  cloudflareClassifier,
  flyClassifier,
  sshClassifier,
  mcpClassifier,
  genericClassifier,
];
