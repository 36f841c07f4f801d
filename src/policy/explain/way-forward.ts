// The narrowest thing that an agent can do instead of a command that was not allowed: the same
// command as a dry run, or the read that shows its effect. Only for commands that the classifiers
// know to change nothing.

import type { Action } from "../../model/action.ts";
import type { Classification } from "../../model/classification.ts";
import { classifierForProgram } from "../../protocols/registry.ts";

/** A clause that begins with a verb; undefined where nothing narrower is known. */
export function wayForward(
  argv: readonly string[],
  { protocol, tier }: Classification,
  action: Action,
): string | undefined {
  if (action === "allow" || tier === "observe") return undefined;
  const [program = ""] = argv;
  const verb = argv.find((word, index) => index > 0 && !word.startsWith("-")) ?? "";
  if (protocol === "terraform" && /^(?:apply|destroy)$/.test(verb)) {
    const destroy = verb === "destroy" ? " -destroy" : "";
    return `show the changes first: ${program} plan${destroy} -out=plan.bin, then ${program} apply plan.bin`;
  }
  const dryRun = [...argv, "--dry-run=server"];
  const isHelm = protocol === "helm" && /^(?:install|upgrade)$/.test(verb);
  const isKubectl =
    protocol === "kubectl" &&
    /^(?:apply|create|delete|patch|scale|label|annotate|set|replace|run|expose)$/.test(verb);
  if (!isHelm && !isKubectl) return undefined;
  const known = classifierForProgram(program)?.classifyArgv(dryRun);
  if (known?.tier !== "observe") return undefined;
  return `show its changes first: ${program} ${verb} … --dry-run=server`;
}
