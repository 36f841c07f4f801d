// gh's command lines. Until its grammar is here every one of them is unknown.

import type { Classification } from "../model/classification.ts";
import type { HttpRequest } from "../model/request.ts";
import { unknownClassification } from "./unknown.ts";

/** Classifies a gh command line; argv[0] is gh, and `classify` is what `gh api` requests are judged by. */
export function classifyGhArgv(
  _argv: readonly string[],
  _classify: (request: HttpRequest) => Classification,
): Classification {
  return unknownClassification("github", "command lines of gh are not read yet");
}
