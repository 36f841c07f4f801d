// The command lines of wrangler and flarectl.

import type { Classification } from "../model/classification.ts";
import { unknownClassification } from "./unknown.ts";

/** Classifies a command line of wrangler or flarectl. */
export function classifyCloudflareArgv(_argv: readonly string[]): Classification {
  return unknownClassification("cloudflare", "not read yet");
}
