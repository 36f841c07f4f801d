// kubectl's command lines, turned into the API operations that they cause and tiered by the same
// table as requests. A command whose objects are in a file (`-f`) is tiered by the verb. A command
// that is not kubectl's own is a plugin, which may do anything: unknown.

import type { Classification } from "../../model/classification.ts";
import { stricterTier } from "../../model/tier.ts";
import { isSwitchedOn, lastValue, type ReadArgv, readArgv } from "../argv.ts";
import { raisedToBreakGlass, strictestOf } from "../strictest.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { bodyInArgv } from "./body/argv.ts";
import type { BodyFinding } from "./body/manifest.ts";
import { commandNames } from "./command.ts";
import { kubectlGrammar, kubectlWords } from "./flags.ts";
import { toldNames } from "./patch-command.ts";
import { type KubectlPlan, planFor } from "./plan.ts";
import { tierOfDryRun, tierOfOperation } from "./tier.ts";

/** Classifies raw paths (`get --raw`) like requests; handed in because requests are another file's. */
export type ClassifyRaw = (method: string, target: string, hasBody: boolean) => Classification;

/** Classifies a kubectl command line; argv[0] is kubectl. */
export function classifyKubectlArgv(argv: readonly string[], classifyRaw: ClassifyRaw): Classification {
  const args = argv.slice(1);
  const [command = "help"] = kubectlWords(args);
  const read = readArgv(args, kubectlGrammar(command));
  const answer = classifyCommand(command, read, classifyRaw);
  if (["as", "as-group", "as-uid", "as-user-extra"].some((name) => read.flags.has(name)))
    return raisedToBreakGlass(answer, "--as acts as somebody else");
  const [strange] = read.strange;
  if (strange === undefined || answer.tier === "break-glass") return answer;
  // The next word may be the flag's value or the resource.
  return unknownClassification("kubectl", `kubectl has no flag '${strange}' that we know`, {
    command: answer.command,
    labels: answer.labels,
  });
}

function classifyCommand(command: string, read: ReadArgv, classifyRaw: ClassifyRaw): Classification {
  // Words after `--` are words all the same; where they are another program's, no plan looks at them.
  const [, ...words] = [...read.words, ...(read.rest ?? [])];
  const isAgreed = (read.words[0] ?? "help") === command;
  const plan = isAgreed ? planFor(command, words, read) : undefined;
  if (plan === undefined)
    return unknownClassification("kubectl", `'${command}' may be a plugin`, { command });
  if (isSwitchedOn(read, "help")) return local("help", "prints help");
  if ("raw" in plan) return classifyRaw(plan.raw.method, plan.raw.target, read.flags.has("filename"));
  if ("tier" in plan)
    return { ...local(plan.command, plan.reason), tier: plan.tier, labels: namespaceLabel(read) };
  const inside = bodyInArgv(command, words, read);
  const [first, ...others] = distinct(
    plan.operations.map((operation) => withBody(classifyOperation(operation, plan, read), inside)),
  );
  return first === undefined
    ? unknownClassification("kubectl", `the object of '${command}' is not known`, {
        command,
        labels: namespaceLabel(read),
      })
    : strictestOf(first, ...others);
}

/**
 * Adds the finding from a body in the words. A dry run on the client sends no body, but an unread body may be
 * worse than a read one.
 */
function withBody(plain: Classification, inside: BodyFinding): Classification {
  if (inside === undefined || plain.tier === "break-glass") return plain;
  if ("doubt" in inside) return doubtful(plain, inside.doubt);
  if (stricterTier(plain.tier, inside.tier) === plain.tier) return plain;
  if (plain.tier === "observe" && inside.tier === "sensitive") return plain;
  return { ...plain, tier: inside.tier, reason: `${plain.reason}; the body ${inside.reason}` };
}

function classifyOperation(
  operation: KubectlPlan["operations"][number],
  plan: KubectlPlan,
  read: ReadArgv,
): Classification {
  const real = tierOfOperation(operation);
  const dryRun = plan.takesDryRun ? dryRunOf(read) : "none";
  let answer = real;
  if (dryRun === "server") answer = tierOfDryRun(operation);
  else if (dryRun === "client" && real.tier !== "break-glass" && real.tier !== "unknown")
    answer = { tier: "observe", reason: "a dry run on the client sends nothing" };
  // A request on a namespace is scoped to that namespace, as on the wire.
  const labels =
    operation.resource === "namespaces"
      ? operation.name === undefined
        ? {}
        : { namespace: operation.name }
      : operation.isNamespaced
        ? namespaceLabel(read)
        : {};
  const names =
    plan.command === undefined
      ? (toldNames(operation.sentBy ?? "", operation) ?? commandNames(operation))
      : { command: plan.command, aliases: [] };
  return { protocol: "kubectl", ...answer, ...names, labels };
}

/** A bare `--dry-run` changes nothing either: old releases took it for `client`, newer ones refuse it. */
function dryRunOf(read: ReadArgv): "none" | "client" | "server" {
  if (isSwitchedOn(read, "server-dry-run")) return "server";
  const value = lastValue(read, "dry-run");
  if (value === undefined || value === "none" || value === "false") return "none";
  if (value === "server") return "server";
  return value === "client" || value === "true" || value === "" ? "client" : "none";
}

function namespaceLabel(read: ReadArgv): Readonly<Record<string, string>> {
  const namespace = lastValue(read, "namespace");
  return namespace === undefined || namespace === "" || isSwitchedOn(read, "all-namespaces")
    ? {}
    : { namespace };
}

function distinct(answers: readonly Classification[]): readonly Classification[] {
  const seen = new Map(
    answers.map((one) => [`${one.command} ${one.labels.namespace ?? ""} ${one.tier}`, one] as const),
  );
  return [...seen.values()];
}

function local(command: string, reason: string): Classification {
  return { protocol: "kubectl", tier: "observe", command, aliases: [], labels: {}, reason };
}
