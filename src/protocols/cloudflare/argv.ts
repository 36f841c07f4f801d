// The command lines of Cloudflare's tools, each read by its own file.

import type { Classification } from "../../model/classification.ts";
import { programName } from "../argv.ts";
import { classifyFlarectlArgv } from "./flarectl-argv.ts";
import { classifyWranglerArgv } from "./wrangler-argv.ts";

/** Classifies a command line of wrangler or flarectl. */
export function classifyCloudflareArgv(argv: readonly string[]): Classification {
  return programName(argv[0]) === "flarectl" ? classifyFlarectlArgv(argv) : classifyWranglerArgv(argv);
}
