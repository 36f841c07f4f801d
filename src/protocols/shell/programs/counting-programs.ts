// Programs that print one whole number and nothing else, whatever they read: what a script may
// calculate with although only its run tells the number.

import type { Command, SyntaxNode } from "unbash";
import { wordOf } from "../read-word.ts";

/** By their names: whether these arguments make the program print a number alone. */
const COUNTS: Readonly<Record<string, (args: readonly string[]) => boolean>> = {
  nproc: (args) => args.every((each) => each === "--all"),
  wc: (args) => args.length === 1 && /^-[lcwmL]$/.test(args[0] ?? ""),
  date: (args) => /^(?:-u )?\+%[sYmdHMSjuyN]$/.test(args.join(" ")),
  id: (args) => /^-[ug]$/.test(args.join(" ")),
  seq: (args) => args.length > 0 && args.every((each) => /^-?\d+$/.test(each)),
  tr: (args) => /^-(?:dc|cd) (?:0-9|\[:digit:\])$/.test(args.join(" ")),
  stat: (args) => args.length === 3 && args[0] === "-c" && /^%[sYXZW]$/.test(args[1] ?? ""),
  pgrep: (args) => /^-[a-z]*c[a-z]*$/.test(args[0] ?? ""),
  grep: (args) => {
    const operands = args.filter((each) => !each.startsWith("-"));
    const options = args.filter((each) => each.startsWith("-"));
    return (
      operands.length <= 2 &&
      options.every((each) => /^-[ciwEFvxs]+$/.test(each)) &&
      options.some((each) => each.includes("c"))
    );
  },
};

/** Whether the script is one program of those, or a pipe that ends in one. */
export function isCount(script: SyntaxNode): boolean {
  if (script.type !== "Script" || script.commands.length !== 1) return false;
  let last: SyntaxNode | undefined = script.commands[0]?.command;
  if (last?.type === "Pipeline") last = last.commands.at(-1);
  return last?.type === "Command" && isCountingCommand(last);
}

function isCountingCommand({ name, args, redirects }: Command): boolean {
  if (name === undefined) return false;
  const words = [name, ...args].map((each) =>
    each.type === "Word" ? wordOf(each, new Map()) : { text: each.text, isSure: false },
  );
  const [program = "", ...rest] = words.map(({ text }) => text);
  // Messages on stderr hold names of files, and those are text.
  const isAlone = redirects.every(
    (each) => each.type !== "Redirect" || each.operator === "<" || each.target?.value === "/dev/null",
  );
  const areKnown = words.every(
    ({ isSure }, index) => isSure || (program === "grep" && index > 1) || (program === "stat" && index === 3),
  );
  return isAlone && areKnown && Object.hasOwn(COUNTS, program) && COUNTS[program]?.(rest) === true;
}
