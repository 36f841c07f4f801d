// The command lines of kustomize on its own: it renders files and edits them, and speaks
// to no cluster. Only what runs other programs or writes files is more than a read.

import type { Classification } from "../../model/classification.ts";
import type { Tier } from "../../model/tier.ts";
import { unknownClassification } from "../unknown.ts";

const TIERS: ReadonlyMap<string, readonly [Tier, string]> = new Map([
  ["build", ["observe", "renders files"]],
  ["cfg", ["observe", "prints files"]],
  ["completion", ["observe", "prints a script"]],
  ["docs", ["observe", "prints help"]],
  ["help", ["observe", "prints help"]],
  ["openapi", ["observe", "prints a schema"]],
  ["version", ["observe", "prints the version"]],
  ["create", ["modify", "writes a kustomization"]],
  ["edit", ["modify", "changes a kustomization"]],
  ["localize", ["modify", "writes files"]],
  ["fn", ["modify", "runs functions"]],
]);

/** With one of these `build` runs programs that the kustomization names. */
const RUNS_PROGRAMS = /^--(?:enable-(?:exec|helm|alpha-plugins|star)|helm-command|network)(?:=|$)/;

/** Classifies a kustomize command line; argv[0] is kustomize. */
export function classifyKustomizeArgv(argv: readonly string[]): Classification {
  // kustomize has no flag with a value before its command but --stack-trace, a switch.
  const command = argv.slice(1).find((word) => !word.startsWith("-")) ?? "help";
  const known = TIERS.get(command);
  if (known === undefined) return unknownClassification("kubectl", `kustomize has no command '${command}'`);
  const [tier, reason] = argv.some((word) => RUNS_PROGRAMS.test(word))
    ? (["modify", "runs programs that the kustomization names"] as const)
    : known;
  return { protocol: "kubectl", tier, command: `kustomize ${command}`, aliases: [], labels: {}, reason };
}
