// flyctl's command lines.

import type { Classification } from "../model/classification.ts";
import { unknownClassification } from "./unknown.ts";

/** Classifies a command line of flyctl. */
export function classifyFlyArgv(_argv: readonly string[]): Classification {
  return unknownClassification("fly", "not read yet");
}
