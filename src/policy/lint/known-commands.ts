// Whether the commands of a policy can match anything: each is compared with the operations of its
// protocol and with the words of its tools. A deny that never fires looks like protection and is
// none, so that is an error with the nearest known spelling. Apart from parsing, because a policy
// that is in force already must still load.

import type { Protocol } from "../../model/protocol.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { type CommandSelector, compileCommand, KUBERNETES_VERBS } from "../decide/rule-table.ts";
import { nearestWord } from "../did-you-mean.ts";
import type { PolicyProblem } from "../parse/problems.ts";
import type { Policy, ProtocolBlock } from "../policy.ts";

/** Every problem with the commands of a policy, in file order. The first question about a protocol costs up to 200 ms. */
export function commandProblems(policy: Policy): readonly PolicyProblem[] {
  const found: PolicyProblem[] = [];
  for (const block of policy.blocks.values())
    for (const command of commandsOf(block)) {
      const problem = commandProblem(block.protocol, command);
      if (problem !== undefined) found.push(problem);
    }
  return found.sort((a, b) => a.line - b.line || a.column - b.column);
}

/**
 * The problems with the errors that the policy in force has already made warnings: a policy that is no worse
 * may be saved.
 */
export function newCommandProblems(policy: Policy, inForce: Policy): readonly PolicyProblem[] {
  const problems = commandProblems(policy);
  if (!problems.some(({ severity }) => severity === "error")) return problems;
  const old = new Set(commandProblems(inForce).map(({ message }) => message));
  return problems.map((each) => (old.has(each.message) ? { ...each, severity: "warning" as const } : each));
}

/** Each command that is written in a block, once. */
export function commandsOf({ scopes, rules }: ProtocolBlock): readonly CommandSelector[] {
  const tables = [...scopes.flatMap(({ written }) => written.map(({ table }) => table)), rules];
  const commands = new Map<string, CommandSelector>();
  for (const command of tables.flatMap((table) => table?.rules ?? []).flatMap((rule) => rule.commands))
    commands.set(command.path ?? command.text, command);
  return [...commands.values()];
}

/** Says what is wrong with one command of a rule; undefined when an operation or a command line has that name. */
export function commandProblem(protocol: Protocol, command: CommandSelector): PolicyProblem | undefined {
  const { operations, vocabulary, programs, classifyArgv } = classifierFor(protocol);
  if (operations === undefined || vocabulary === undefined) return undefined;
  const names = namesOf(protocol);
  const isKnown = command.globs.some((glob) =>
    glob.isExact ? names.has(glob.fixed) : names.list.some((name) => glob.test(name)),
  );
  const typed = command.text.trim().split(/\s+/).join(" ").toLowerCase();
  const place = { path: command.path ?? "", line: command.at?.line ?? 1, column: command.at?.column ?? 1 };
  if (isKnown) return undefined;
  const words = typed.split(" ");
  const isProgram = words.length > 1 && programs.includes(words[0] ?? "");
  const own = isProgram ? words.slice(1).join(" ") : typed;
  // Operations that nobody publishes a list of, like Fly's mutations.
  if (vocabulary.meaningOf(own).some(vocabulary.isCarried) && protocol !== "kubectl") return undefined;
  if (vocabulary.isCarried(typed) || vocabulary.isCarried(own)) return misspeltType(protocol, own, place);
  const isCommandLine =
    !/[*?{[]/.test(typed) &&
    (isProgram ? [words] : programs.map((program) => [program, ...words])).some(
      (argv) => classifyArgv(argv).tier !== "unknown",
    );
  if (isCommandLine)
    return {
      ...place,
      message: `only command lines are called '${command.text}', no request that they send`,
      hint: "name the operations of the API too; 'iddio classify http' prints the command of a request",
      severity: "warning",
    };
  const nearest = nearestCommand(protocol, typed, own);
  return {
    ...place,
    message: `'${command.text}' is not an operation of ${protocol}, so the rule never applies`,
    hint:
      nearest === undefined
        ? `'iddio classify' prints what requests and command lines are called`
        : `did you mean '${nearest}'?`,
    severity: "error",
  };
}

/**
 * The nearest known spelling, of the tool or of the API; `own` is the typed command without the program's
 * name. A word alone may be a type without its verb or a verb without its type.
 */
function nearestCommand(protocol: Protocol, typed: string, own: string): string | undefined {
  const words = typed.split(" ");
  if (protocol === "kubectl" && words.length === 1) {
    if (
      !("problem" in compileCommand(protocol, `${typed} *`)) &&
      namesOf(protocol).list.some((name) => name.startsWith(`${typed} `))
    )
      return `${typed} *`;
    if (namesOf(protocol).list.some((name) => name.endsWith(` ${typed}`))) return `* ${typed}`;
  }
  const spelled = nearestWord(own, [
    ...(classifierFor(protocol).vocabulary?.toolCommands() ?? []),
    ...namesOf(protocol).list,
  ]);
  const isOfTool = spelled !== undefined && !namesOf(protocol).has(spelled.toLowerCase());
  return isOfTool ? typed.slice(0, typed.length - own.length) + spelled : spelled;
}

/** A custom resource is fine; one that is nearly a type of Kubernetes' own is most likely a slip. */
function misspeltType(
  protocol: Protocol,
  typed: string,
  place: Pick<PolicyProblem, "path" | "line" | "column">,
): PolicyProblem | undefined {
  if (protocol !== "kubectl" || /[.*?{[/]/.test(typed)) return undefined;
  const type = typed.split(" ").find((word) => !KUBERNETES_VERBS.has(word)) ?? "";
  const types = [...new Set(namesOf(protocol).list.map((name) => name.split(" ")[0] ?? ""))];
  const near = nearestWord(type, types);
  // Custom resources often begin otherwise or end alike; a slip of the keyboard keeps the beginning.
  if (near === undefined || near.slice(0, 3) !== type.slice(0, 3)) return undefined;
  const nearest = typed.replace(type, near);
  return {
    ...place,
    message: `'${typed}' is not an operation of Kubernetes' own types`,
    hint: `did you mean '${nearest}'? A custom resource of this name needs no change`,
    severity: "warning",
  };
}

/** Names of a protocol's operations in lower case. */
interface Names {
  readonly list: readonly string[];
  has(name: string): boolean;
}

const known = new Map<Protocol, Names>();

function namesOf(protocol: Protocol): Names {
  const ready = known.get(protocol);
  if (ready !== undefined) return ready;
  const all = new Set(
    (classifierFor(protocol).operations?.() ?? []).flatMap(({ command, aliases }) =>
      [command, ...aliases].map((name) => name.toLowerCase()),
    ),
  );
  const names = { list: [...all], has: (name: string) => all.has(name) };
  known.set(protocol, names);
  return names;
}
