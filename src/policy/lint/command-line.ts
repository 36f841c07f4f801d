// Finds the command line of a tool that a policy's command names, if there is one: hooks judge
// command lines by these names.

import type { Classification } from "../../model/classification.ts";
import type { Protocol } from "../../model/protocol.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { compileCommand } from "../decide/rule-table.ts";

/** A command line of a tool, as short as its name. */
export interface NamedCommandLine {
  readonly program: string;
  readonly classification: Classification;
}

/** Words to put behind a command that only works on something; the first that makes it known counts. */
const ARGUMENTS: readonly (readonly string[])[] = [[], ["-f", "x"], ["x"]];

/**
 * The command line that is called so; `command` has no program before it. Undefined where the tool does not know it, or
 * knows it by fewer words, the others being names of things.
 */
export function commandLineOf(protocol: Protocol, command: string): NamedCommandLine | undefined {
  const words = command.split(" ");
  if (/[*?{[]/.test(command) || words.some((word) => word.startsWith("-"))) return undefined;
  const { programs, classifyArgv } = classifierFor(protocol);
  if (programs.includes(words[0] ?? "")) {
    const classification = classifyArgv(words);
    if (classification.tier !== "unknown" && classification.command === command)
      return { program: "", classification };
  }
  for (const program of programs)
    for (const rest of protocol === "kubectl" ? ARGUMENTS : ARGUMENTS.slice(0, 1)) {
      const classification = classifyArgv([program, ...words, ...rest]);
      const isNamed = classification.command.split(" ").length === words.length;
      if (classification.tier !== "unknown" && isNamed) return { program, classification };
    }
  return undefined;
}

/** Names by which a policy can mean a command line. */
export interface PolicyNames {
  /** Requests that the tool sends, names or patterns. */
  readonly requests: readonly string[];
  /** Another spelling of the command, the tool's or the API's own; undefined where there is none. */
  readonly also: string | undefined;
}

/** The names beside its command by which a policy can mean a command line. */
export function policyNamesOf(
  argv: readonly string[],
  { protocol, command, aliases }: Pick<Classification, "protocol" | "command"> & Partial<Classification>,
): PolicyNames {
  const meaning = classifierFor(protocol).vocabulary?.meaningOf(command) ?? [];
  const requests = meaning.filter((name) => name !== command);
  const alias = requests.length > 0 ? undefined : aliases?.find((name) => !requests.includes(name));
  return { requests, also: toolSpelling(argv, protocol, command) ?? alias };
}

/** The first words of the command line that a policy takes for this command, with the program. */
function toolSpelling(argv: readonly string[], protocol: Protocol, command: string): string | undefined {
  const [program = "", ...rest] = argv;
  const words = rest.filter((word) => !word.startsWith("-"));
  for (let length = 1; length <= Math.min(3, words.length); length++) {
    const text = words.slice(0, length).join(" ");
    if (text.toLowerCase() === command.toLowerCase() || /[*?{}[\]]/.test(text)) continue;
    const compiled = compileCommand(protocol, text);
    if (
      "globs" in compiled &&
      compiled.globs.some((glob) => glob.isExact && glob.test(command.toLowerCase()))
    )
      return `${program.split("/").at(-1)} ${text}`;
  }
  return undefined;
}
