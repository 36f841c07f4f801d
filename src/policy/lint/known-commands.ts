// Whether the commands of a policy can match anything: each is compared with the operations of its
// protocol and with the words of its tools. A deny that never fires looks like protection and is
// none, so that is an error with the nearest known spelling. Apart from parsing, because a policy
// that is in force already must still load.

import { wordCells } from "../../match/glob-cells.ts";
import type { Protocol } from "../../model/protocol.ts";
import { classifierFor } from "../../protocols/registry.ts";
import {
  type CommandSelector,
  compileCommand,
  KUBERNETES_VERBS,
  withoutProgram,
} from "../decide/rule-table.ts";
import type { PolicyProblem } from "../parse/problems.ts";
import type { Policy, ProtocolBlock } from "../policy.ts";
import { commandLineOf } from "./command-line.ts";
import { isOwnSubresource, malformedCommand, misspeltType } from "./kubernetes-type.ts";
import { nameListsOf } from "./name-list.ts";
import { nearestByWords, nearestCommand, nearestGroupWord } from "./nearest-command.ts";
import { allowedAlong } from "./served-along.ts";

/** Every problem with the commands of a policy, in file order. The first question about a protocol costs up to 200 ms. */
export function commandProblems(policy: Policy): readonly PolicyProblem[] {
  return [...unmatchedCommands(policy), ...alongProblems(policy)].sort(inFileOrder);
}

/** Commands that a policy allows by a tool's spelling, and that let through more than it says. */
export function alongProblems(policy: Policy): readonly PolicyProblem[] {
  return [...policy.blocks.values()]
    .flatMap((block) =>
      tablesOf(block).flatMap((table) => (table === undefined ? [] : allowedAlong(block, table))),
    )
    .sort(inFileOrder);
}

/** Those of them that a change of the policy brings. */
export function newAlongProblems(before: Policy, after: Policy): readonly PolicyProblem[] {
  const old = new Set(alongProblems(before).map(({ message }) => message));
  return alongProblems(after).filter(({ message }) => !old.has(message));
}

function inFileOrder(a: PolicyProblem, b: PolicyProblem): number {
  return a.line - b.line || a.column - b.column;
}

/** Commands that nothing is called, or only a command line. */
export function unmatchedCommands(policy: Policy): readonly PolicyProblem[] {
  const found: PolicyProblem[] = [];
  for (const block of policy.blocks.values())
    for (const command of commandsOf(block)) {
      const problem = commandProblem(block.protocol, command) ?? allowProblem(block, command);
      if (problem !== undefined) found.push(problem);
    }
  return found;
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

/** A command that an allow would let through for every type: such a rule means command lines alone. */
function allowProblem(block: ProtocolBlock, command: CommandSelector): PolicyProblem | undefined {
  const { globs, onlyRestricting = [], text, path, at } = command;
  const sent = globs.filter((glob) => glob.test("*") || /^[*?]/.test(textOf(glob.tokens)));
  if (sent.length === 0 || sent.some((glob) => !onlyRestricting.includes(glob))) return undefined;
  const { requests } = nameListsOf(block.protocol);
  if (globs.some(({ isExact, fixed }) => isExact && requests.has(fixed))) return undefined;
  const isAllowed = tablesOf(block).some((table) =>
    table?.rules.some(
      ({ action, commands }) => action === "allow" && commands.some((one) => one.path === path),
    ),
  );
  if (!isAllowed) return undefined;
  return {
    path: path ?? "",
    line: at?.line ?? 1,
    column: at?.column ?? 1,
    message: `an allow of '${text}' is about command lines alone, as it would be about every type`,
    hint: `name the types, for example '${text.replace(/ \*$/, "")} ${/(?:^| )(?:rollout|set) /.test(text) ? "deployments" : "pods"}', or type '${textOf(sent[0]?.tokens ?? [])}' to allow it for all`,
    severity: "warning",
  };
}

function tablesOf({ scopes, rules }: ProtocolBlock): readonly (ProtocolBlock["rules"] | undefined)[] {
  return [...scopes.flatMap(({ written }) => written.map(({ table }) => table)), rules];
}

/** Each command that is written in a block, once. */
export function commandsOf(block: ProtocolBlock): readonly CommandSelector[] {
  const tables = tablesOf(block);
  const commands = new Map<string, CommandSelector>();
  for (const command of tables.flatMap((table) => table?.rules ?? []).flatMap((rule) => rule.commands))
    commands.set(command.path ?? command.text, command);
  return [...commands.values()];
}

/** Says what is wrong with one command of a rule; undefined when a request has that name. */
export function commandProblem(protocol: Protocol, command: CommandSelector): PolicyProblem | undefined {
  if (classifierFor(protocol).operations === undefined) return undefined;
  const typed = command.text.trim().split(/\s+/);
  const words = withoutProgram(protocol, typed).map((word) => word.toLowerCase());
  const place = { path: command.path ?? "", line: command.at?.line ?? 1, column: command.at?.column ?? 1 };
  const error = (message: string, hint: string): PolicyProblem => ({
    ...place,
    message,
    hint,
    severity: "error",
  });
  if (protocol === "kubectl") {
    const malformed = malformedCommand(command.text, words);
    if (malformed !== undefined) return error(malformed.message, malformed.hint);
  }
  const { requests, commandLines } = nameListsOf(protocol);
  const isAbout = (names: Names) =>
    command.globs.some((glob) =>
      glob.isExact ? names.has(glob.fixed) : names.list.some((name) => glob.test(name.toLowerCase())),
    );
  if (isAbout(requests)) return undefined;
  // Words that helm does not have may be plugins, which only command lines name.
  if (protocol !== "helm" && isOpenName(protocol, command)) {
    const near = protocol === "kubectl" ? misspeltType(words) : undefined;
    if (near === undefined && !(protocol === "kubectl" && isOwnSubresource(words))) return undefined;
    if (near !== undefined)
      return error(
        `'${command.text}' is not an operation of Kubernetes' own types`,
        `did you mean '${near}'? A type that your cluster adds is written with its group: '${words.map((word) => (KUBERNETES_VERBS.has(word) ? word : `${word}.<group>`)).join(" ")}'`,
      );
  }
  const isOpenLine = protocol === "helm" && isOpenName(protocol, command);
  const line =
    isOpenLine ||
    command.globs.some(({ isExact, fixed }) => isExact && commandLineOf(protocol, fixed) !== undefined);
  const slip = isOpenLine
    ? nearestByWords(protocol, words.join(" "))
    : line
      ? nearestGroupWord(protocol, words)
      : undefined;
  if ((line && slip === undefined) || isAbout(commandLines))
    return {
      ...place,
      message: `only command lines are called '${command.text}', no request that they send, so it acts in hooks alone`,
      hint: hintOf(protocol, words),
      severity: "warning",
    };
  const option = words.find((word) => word.startsWith("-"));
  const spelling = () => {
    const near = slip ?? nearestCommand(protocol, withoutProgram(protocol, typed));
    const program = typed.length > words.length ? `${typed[0]} ` : "";
    return near === undefined || !near.isOfTool ? near?.text : program + near.text;
  };
  return {
    ...place,
    message:
      option === undefined
        ? `'${command.text}' is not an operation of ${protocol}, so the rule never applies`
        : `'${option}' is an option, and options are no part of a command, so '${command.text}' never applies`,
    severity: "error",
    // Thousands of names are compared for it, and a question about several protocols asks only where none has the name.
    get hint() {
      if (protocol === "aws" && HANDS_OVER.test(words.join(" ")))
        return "IAM checks it where a request hands a role to a service; name such requests, for example 'lambda:CreateFunction' or 'ecs:RunTask'";
      const spelled = spelling();
      if (spelled === undefined) return `'iddio classify' prints what requests and command lines are called`;
      return option === undefined
        ? `did you mean '${spelled}'?`
        : `type '${spelled}', which is about it with any options`;
    },
  };
}

/** A permission that no request is called. */
const HANDS_OVER = /^iam[: ]pass-?role$/;

/** Why no request is called so, in a clause with a hint; undefined for a name that a request or a command line has. */
export function unheardOfName(
  protocol: Protocol,
  name: string,
): { readonly message: string; readonly hint: string } | undefined {
  const { requests } = nameListsOf(protocol);
  if (classifierFor(protocol).operations === undefined || requests.has(name.toLowerCase())) return undefined;
  if (/[*?]/.test(name))
    return {
      message: `'${name}' is a pattern, and one operation is meant`,
      hint: "name one that it matches",
    };
  const compiled = compileCommand(protocol, name);
  if ("problem" in compiled)
    return { message: compiled.problem, hint: "type a command as 'iddio classify' prints it" };
  const problem = commandProblem(protocol, compiled);
  if (problem?.severity === "error")
    return {
      message: problem.message.replace(/, so the rule never applies$/, ""),
      hint: problem.hint ?? "'iddio classify' prints what requests are called",
    };
  // A tool's spelling stands for requests that are called otherwise, unless command lines are called so, too.
  const isCalledSo = compiled.globs.some((glob) => glob.test(name.toLowerCase()));
  const [sent] = compiled.globs;
  return isCalledSo || sent === undefined
    ? undefined
    : {
        message: `no request is called '${name}'`,
        hint: `the requests that it stands for are called, for example, '${sent.isExact ? sent.fixed : textOf(sent.tokens)}'`,
      };
}

type Names = ReturnType<typeof nameListsOf>["requests"];

/** A hint that tells how to name the requests of a command line, too. */
function hintOf(protocol: Protocol, words: readonly string[]): string {
  const [first = ""] = words;
  switch (protocol) {
    case "terraform":
      return "what terraform changes goes to the hosts of your clouds: say it in their blocks, too, for example aws, gcloud or kubectl";
    case "helm":
      return `helm changes clusters by requests to Kubernetes: say it under kubectl, too, for example '* ${/^(?:uninstall|un|del|delete)$/.test(first) ? "delete" : "patch"}'`;
    default: {
      const near = protocol === "gcloud" ? nearestByWords(protocol, words.join(" ")) : undefined;
      return near === undefined
        ? "name the operations of the API, too: 'iddio classify http' prints what a request is called"
        : `if '${near.text}' is meant, type that: it is about the requests, too`;
    }
  }
}

/** Whether requests can carry a name that no list has. */
function isOpenName(protocol: Protocol, { globs }: CommandSelector): boolean {
  const { vocabulary } = classifierFor(protocol);
  if (vocabulary === undefined) return false;
  if (protocol !== "kubectl")
    return globs.some(({ fixed, isExact, tokens }) => vocabulary.isCarried(isExact ? fixed : textOf(tokens)));
  const cells = wordCells(
    globs,
    vocabulary.openNames.map(({ spellings }) => spellings),
  );
  return cells?.some((some) => some.some(({ matched }) => matched.includes(true))) !== false;
}

/** A pattern as it could be typed, for words that may hold one. */
function textOf(tokens: CommandSelector["globs"][number]["tokens"]): string {
  return tokens
    .map((token) => (typeof token === "object" && "code" in token ? String.fromCharCode(token.code) : "*"))
    .join("");
}
