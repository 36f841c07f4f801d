// The policy for commands that work without a daemon: the file that the daemon would load, or the
// default policy that it would write.

import type { Policy } from "../../policy/policy.ts";
import type { StatePaths } from "../../state/paths.ts";

/** The compiled policy and where it came from, or why there is none. */
export type PolicyFile =
  | { readonly policy: Policy; readonly source: string }
  | { readonly policy: undefined; readonly problem: string };

/** Reads and compiles policy.yaml; a missing file means the default policy, an invalid one none. */
export async function readPolicyFile(paths: StatePaths): Promise<PolicyFile> {
  const { parsePolicy } = await import("../../policy/parse/parse.ts");
  const { existsSync } = await import("node:fs");
  if (!existsSync(paths.policy)) {
    const { DEFAULT_POLICY } = await import("../../policy/default-policy.ts");
    const parsed = parsePolicy(DEFAULT_POLICY);
    if ("problems" in parsed) throw new Error("the default policy does not parse");
    return { policy: parsed.policy, source: "the default policy" };
  }
  const { readTextFile } = await import("./read-policy.ts");
  const parsed = parsePolicy(await readTextFile(paths.policy, "policy"));
  if ("policy" in parsed) return { policy: parsed.policy, source: paths.policy };
  return {
    policy: undefined,
    problem: `'${paths.policy}' is not valid: ${parsed.problems[0]?.message ?? "unreadable"}`,
  };
}
